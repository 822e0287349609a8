import ArgumentParser
import Foundation
import Jobs
import JobsPostgres
import Postgres

struct MissingCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "missing",
    abstract: "Jobs that were accepted, have not ended, and are in no queue: list, enqueue again, or give up.",
    discussion: """
      Worker processes compare what was accepted with what exists. What a purged, deleted or lost queue has taken with it \
      is known after a minute at most.
      """,
    subcommands: [List.self, Enqueue.self, Dismiss.self], defaultSubcommand: List.self)

  /// Which pools a command concerns.
  struct Selection: ParsableArguments {
    @Option(help: "Only this pool's.")
    var pool: String?
  }

  struct NotKnown: Error, CustomStringConvertible {
    let description: String
  }

  /// What a command works with.
  struct Access {
    let jobs: PostgresMissingJobs
    let gaps: PostgresGapStore
    let report: GapReport

    /// Why it is not known what is missing, as a sentence; nil: it is known.
    var unknownReason: String? {
      if report.isCurrent { return nil }
      return
        "What is missing is not known: \(report.unknown ?? "no worker process has compared lately"). See vluma doctor."
    }

    /// The gaps of the selected pools.
    func missing(_ selection: Selection) -> [MissingJobs] {
      report.missing.filter { selection.pool == nil || selection.pool == $0.pool.rawValue }
    }
  }

  static func withAccess<Value>(_ body: (Access) async throws -> Value) async throws -> Value {
    let pool = try AppBuilder().pool()
    let gaps = PostgresGapStore(pool: pool)
    let access = Access(
      jobs: PostgresMissingJobs(pool: pool, by: operatorName()), gaps: gaps, report: try await gaps.report())
    let value = try await body(access)
    await pool.close()
    return value
  }
}
