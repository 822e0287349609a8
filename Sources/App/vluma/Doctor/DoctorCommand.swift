import ArgumentParser
import Glibc
import JobOperations
import Jobs

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Diagnose settings, servers, workers and queues: what is wrong, and what to do.",
    discussion: """
      Changes nothing. Exit status 0: nothing is wrong; 1: something was found. A server that is unreachable hides \
      none of the others, and each is waited for a few seconds at most. Removed pools are known from what PostgreSQL \
      holds of the last month.
      """)

  @Flag(help: "Print JSON.")
  var json = false
  @Option(
    name: .customLong("pool"),
    help: "Also check a pool of this name that queues.yaml no longer has; may be given several times.")
  var pools: [String] = []

  func run() async throws {
    let report = DoctorReport(await SnapshotCollector(pools: pools.map(PoolName.init(rawValue:))).collect())
    if json {
      try printJSON(report)
    } else {
      print(report.text(isColoured: isatty(STDOUT_FILENO) == 1))
    }
    if !report.isHealthy { throw ExitCode.failure }
  }
}
