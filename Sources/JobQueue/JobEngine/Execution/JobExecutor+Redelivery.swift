internal import ClientLoop
internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging

/// Step 2: a job that somebody had before. Perhaps it is completed; perhaps its process died of it.
extension JobExecutor {
  func beginRedelivered(_ known: ValidatedJob) async {
    let (delivery, envelope) = (known.delivery, known.envelope)
    let history = await completer.retryingStoreCall("looking for a receipt") {
      try await store.history(of: envelope.jobRun)
    }
    guard let history else { return completer.requeueUnstarted(delivery, envelope) }
    // A copy of a job that was completed before: an effect outside of the store must not even begin.
    guard !history.hasReceipt else { return await completer.complete(delivery, envelope, nil) }
    if await parkIfPaused(known) { return }
    guard delivery.redelivered else { return await begin([known]) }
    guard history.starts > 0 else { return await markAndBegin(known) }

    // The first start of all is not marked, and not counted: whether that process worked on the job, or only held it,
    // nobody knows.
    let crashes = history.starts
    guard crashes < pool.maxCrashes else {
      let detail = "\(crashes) processes died, or lost their connection, while working on it"
      return await completer.deadLetter(delivery, envelope, .crashed, detail: detail, cause: "crash")
    }
    logger.warning(
      "a job came back again; it will run alone",
      metadata: ["job": "\(envelope.jobRun)", "pool": "\(pool.name)", "crashes": "\(crashes)"])
    let pause = Self.poisonDelay(afterStarts: history.starts) - (history.timeSinceLastStart ?? .zero)
    if pause > .zero { try? await TimeSource.sleep(for: pause) }
    let hasRun =
      await Task.isCancelled
      ? false
      : poisonLock.withLock {
        // Its kind may have been paused for the processes it kills, while this one stood in line.
        if await !parkIfPaused(known) { await markAndBegin(known) }
      }
    if !hasRun { completer.requeueUnstarted(delivery, envelope) }
  }

  private func markAndBegin(_ known: ValidatedJob) async {
    let (delivery, envelope) = (known.delivery, known.envelope)
    let starts = await completer.retryingStoreCall("marking a start") {
      try await store.markStart(envelope.jobRun, node: node)
    }
    if starts == nil { completer.requeueUnstarted(delivery, envelope) } else { await begin([known]) }
  }

  /// So long at least after its last start a suspect is begun again: processes that are killed in quick succession for
  /// other reasons are not held against it, and one that does kill them cannot take all of them down at once. 1 s,
  /// doubled with each start, at most 8 s.
  static func poisonDelay(afterStarts starts: Int) -> Duration { .seconds(1 << min(max(starts - 1, 0), 3)) }
}
