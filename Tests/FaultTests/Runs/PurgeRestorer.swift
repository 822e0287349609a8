import Foundation
import TestPlatform
import TestServers

/// Puts the jobs of purged queues back at the end of a run, as an operator does: by `vluma missing`, once it is settled
/// what is missing.
struct PurgeRestorer {
  private struct Missing: Decodable, Equatable {
    let pool: String
    let count: Int
  }

  let platform: Platform

  /// Within a minute every gap is named, each pool's at its own time; the command takes what is named.
  private static let namedWithin = Duration.seconds(60)

  /// Waits until every gap since `cause` is named, and `vluma missing` shows the same pools and numbers twice, enqueues
  /// them once, and returns how many there were; 0: the queues were empty.
  ///
  /// - Parameter cause: the last purge; or the last call, where a pool was purged twice: jobs of its second purge are
  ///   taken as a gap of their own.
  func putBack(after cause: ContinuousClock.Instant) async throws -> Int {
    try await Task.sleep(until: cause + Self.namedWithin)
    var last: [Missing]?
    try await eventually(within: .seconds(60), every: .seconds(6), "it is settled what is missing") {
      let now = try await self.missing()
      defer { last = now }
      return now != nil && now == last
    }
    if last == [] { return 0 }
    let (status, output) = try await platform.command("missing", "enqueue")
    print("vluma missing enqueue says:\n\(output)")
    guard status == 0 else { throw TestError(description: "vluma missing enqueue ended with \(status): \(output)") }
    return output.matches(of: /enqueued ([0-9,]+) jobs? of/).reduce(0) { sum, match in
      sum + (Int(match.1.replacing(",", with: "")) ?? 0)
    }
  }

  /// nil: it is not known yet.
  private func missing() async throws -> [Missing]? {
    let (status, output) = try await platform.command("missing", "list", "--json")
    return status == 0 ? try JSONDecoder().decode([Missing].self, from: Data(output.utf8)) : nil
  }
}
