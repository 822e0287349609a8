package import Jobs

/// The broker for whatever enqueues jobs outside of a job's transaction, such as the front: each job that it confirms
/// is handed to the recorder.
package struct RecordingBroker<Store: JobStore>: JobBroker {
  private let broker: any JobBroker
  private let recorder: AcceptedJobRecorder<Store>

  package init(_ broker: any JobBroker, recorder: AcceptedJobRecorder<Store>) {
    self.broker = broker
    self.recorder = recorder
  }

  package func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
    let results = await broker.enqueue(jobs, deadline: deadline)
    for (job, result) in zip(jobs, results) where result == .enqueued {
      if case .pool(let pool) = job.destination { recorder.add(job.envelope, pool: pool) }
    }
    return results
  }

  package func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
    broker.subscribe(pool: pool, capacity: capacity)
  }

  package func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
    broker.subscribeToDeadLetters(of: pool, capacity: capacity)
  }

  package var isReady: Bool { broker.isReady }
}
