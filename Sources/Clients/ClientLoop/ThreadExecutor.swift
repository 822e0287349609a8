internal import DequeModule
internal import Synchronization

/// A serial executor that owns one thread, so that an actor may make blocking C calls without ever
/// holding one of Swift's cooperative threads.
///
/// The thread starts with the first job and ends some time after ``stop()``, when nothing is left to run. A job that
/// arrives even later starts it again, so no awaiting caller is ever forgotten.
package final class ThreadExecutor: SerialExecutor {
  private struct State {
    var jobs = Deque<UnownedJob>()
    var threadRuns = false
    var stopped = false
  }

  private let name: String
  private let wakeup: Wakeup
  private let state = Mutex(State())

  /// Prepares the executor; `name` is what debuggers and `top -H` show for its thread.
  package init(name: String) throws(ClientLoopError) {
    self.name = name
    wakeup = try Wakeup()
  }

  /// Queues a job behind those that wait. Called by the Swift runtime.
  package func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    let (wasEmpty, startsThread) = state.withLock { state in
      state.jobs.append(unowned)
      let starts = !state.threadRuns
      state.threadRuns = true
      return (state.jobs.count == 1, starts)
    }
    if startsThread {
      NamedThread.start(named: name) { self.runJobs() }
    } else if wasEmpty {
      wakeup.wake()
    }
  }

  /// The reference the runtime keeps of this executor.
  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// Lets the thread end once its queue is empty.
  package func stop() {
    state.withLock { $0.stopped = true }
    wakeup.wake()
  }

  private func runJobs() {
    while true {
      let batch: Deque<UnownedJob>? = state.withLock { state in
        if state.jobs.isEmpty {
          guard state.stopped else { return [] }
          state.threadRuns = false
          return nil
        }
        let batch = state.jobs
        state.jobs = []
        return batch
      }
      guard let batch else { return }
      if batch.isEmpty { wakeup.wait() }
      for job in batch { job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
  }
}
