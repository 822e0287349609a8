import ArgumentParser
import Glibc
import JobOperations
import Jobs

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at everything from outside: what is wrong, where, and what to do about it.",
    discussion: """
      Changes nothing. Exit status 0: nothing is wrong; 1: something was found. A server that is away hides none of \
      the others, and nothing is waited for longer than some seconds. Pools that were removed are known from what the \
      store remembers of the last month.
      """)

  @Flag(help: "Print JSON.")
  var json = false
  @Option(
    name: .customLong("pool"), help: "Also look for what a pool of this name has left; may be given several times.")
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
