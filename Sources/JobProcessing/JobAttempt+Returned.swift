internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Wires

/// Step 2: a job that somebody had before. Perhaps it is closed; perhaps its process died of it.
extension JobAttempt {
  func beginAgain(_ known: Known) async {
    let (delivery, envelope) = (known.delivery, known.envelope)
    let history = await exits.persist("looking for a receipt") { try await ledger.history(of: envelope.jobRun) }
    guard let history else { return exits.giveBackUnbegun(delivery, envelope) }
    // A copy of a job that was closed before: an effect outside of the ledger must not even begin.
    guard !history.isClosed else { return await exits.leave(delivery, envelope, nil) }
    if await isParked(known) { return }
    guard delivery.redelivered else { return await begin([known]) }
    guard history.starts > 0 else { return await beginMarked(known) }

    // The first start of all is not marked, and not counted: whether that process worked on the job, or only held it,
    // nobody knows.
    let crashes = history.starts
    guard crashes < pool.maxCrashes else {
      let detail = "\(crashes) processes died, or lost their connection, while working on it"
      return await exits.bury(delivery, envelope, .crashed, detail: detail, cause: "crash")
    }
    logger.warning(
      "a job came back again; it will run alone",
      metadata: ["job": "\(envelope.jobRun)", "pool": "\(pool.name)", "crashes": "\(crashes)"])
    let pause = Self.suspicionPause(afterStarts: history.starts) - (history.sinceLastStart ?? .zero)
    if pause > .zero { try? await CurrentRuntime.sleep(for: pause) }
    let hadItsTurn =
      await Task.isCancelled
      ? false
      : quarantine.alone {
        // Its kind may have been paused for the processes it kills, while this one stood in line.
        if await !isParked(known) { await beginMarked(known) }
      }
    if !hadItsTurn { exits.giveBackUnbegun(delivery, envelope) }
  }

  private func beginMarked(_ known: Known) async {
    let (delivery, envelope) = (known.delivery, known.envelope)
    let starts = await exits.persist("marking a start") { try await ledger.markStart(envelope.jobRun, node: node) }
    if starts == nil { exits.giveBackUnbegun(delivery, envelope) } else { await begin([known]) }
  }

  /// So long at least after its last start a suspect is begun again: processes that are killed in quick succession for
  /// other reasons are not held against it, and one that does kill them cannot take all of them down at once. 1 s,
  /// doubled with each start, at most 8 s.
  static func suspicionPause(afterStarts starts: Int) -> Duration { .seconds(1 << min(max(starts - 1, 0), 3)) }
}
