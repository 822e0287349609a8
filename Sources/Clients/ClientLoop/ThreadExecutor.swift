internal import DequeModule
internal import Synchronization

/// A serial executor that owns one thread, so that an actor may make blocking C calls without ever
/// holding one of Swift's cooperative threads.
///
/// The thread starts with the first job and ends after ``stop()`` when no job is left. A later job starts it again, so
/// that no caller waits for ever.
package final class ThreadExecutor: SerialExecutor {
  private struct State {
    var jobs = Deque<UnownedJob>()
    var threadRuns = false
    var stopped = false
  }

  private let name: String
  private let wakeup: Wakeup
  private let state = Mutex(State())

  /// - Parameter name: what debuggers and `top -H` show for the thread.
  package init(name: String) throws(ClientLoopError) {
    self.name = name
    wakeup = try Wakeup()
  }

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

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

  /// The thread ends once its queue is empty.
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
