/// The port to the message broker.
package protocol JobBroker: Sendable {
  /// Enqueues jobs and waits for the broker's confirmations until the deadline; the results are in the order of the
  /// jobs.
  func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult]
  /// Consumes a pool's queue.
  func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription
  /// Consumes a pool's dead letters.
  func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription
  /// True while jobs can be enqueued.
  var isReady: Bool { get }
}

/// A job and where it goes.
package struct OutgoingJob: Sendable {
  /// The job as it is published; a retry has the number of its next attempt already.
  package var envelope: JobEnvelope
  package var destination: JobDestination

  package init(_ envelope: JobEnvelope, to destination: JobDestination) {
    self.envelope = envelope
    self.destination = destination
  }
}

package enum JobDestination: Sendable, Equatable {
  /// The pool's queue.
  case pool(PoolName)
  /// The retry tier with this delay, from which the job returns to the pool's queue.
  case retry(after: Duration, pool: PoolName)
  /// The pool's dead letters.
  case dead(pool: PoolName, DeadLetterInfo)
}

/// The result of enqueueing a job.
package enum EnqueueResult: Sendable, Equatable {
  /// The broker has confirmed that it holds the job.
  case enqueued
  /// The broker has no such queue; nothing was enqueued.
  case unroutable
  /// The broker could not be reached before the deadline, or refused the job; nothing was enqueued.
  case unavailable
  /// The broker can never hold the job, which is too large; nothing was enqueued.
  case refused
  /// It is unknown whether the broker holds the job: enqueue it again under the same id and run.
  case inDoubt
}
