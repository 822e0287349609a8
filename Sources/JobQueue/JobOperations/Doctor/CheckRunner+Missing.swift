internal import Foundation
internal import Jobs

/// Whether accepted jobs are where they should be.
extension CheckRunner {
  func missingJobs() -> CheckResult {
    guard let gaps = contents?.gaps else { return CheckResult(unknownReason: unknownReason(.store) ?? "") }
    return CheckResult(
      gaps.missing.map(missing), note: "every accepted job is somewhere", unknownReason: notCompared(gaps))
  }

  /// Why nothing is known; nil: worker processes compare.
  private func notCompared(_ gaps: GapReport) -> String? {
    guard !gaps.isCurrent else { return nil }
    if let unknown = gaps.unknown { return unknown }
    guard let seconds = gaps.secondsSinceLook else { return "no worker process has compared yet" }
    return "no worker process has compared for \(Int(seconds)) s"
  }

  private func missing(_ missing: MissingJobs) -> Finding {
    let pool = shellQuoted(missing.pool)
    let since = missing.since.formatted(.iso8601)
    var message =
      "at least \(counted(missing.count, "job")) of \(missing.pool) \(missing.count == 1 ? "is" : "are") missing since "
      + "\(since): accepted, not ended, and in no queue"
    if !missing.examples.isEmpty {
      message += "; most likely \(listed(missing.examples.map { "\($0.kind) \($0.jobRun)" }, most: 5))"
    }
    return Finding(
      .missingJobs, .problem, message,
      advice:
        "A queue was purged, deleted or lost. See which jobs, and enqueue those again that were recorded with their "
        + "bodies; one that waits somewhere after all still runs once:",
      "vluma missing --pool \(pool)", "vluma missing enqueue --pool \(pool)")
  }
}
