import ArgumentParser
import Glibc
import Jobs
import Operations

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at everything from outside: what is wrong, where, and what to do about it.",
    discussion: """
      Changes nothing. Exit status 0: nothing is wrong; 1: something was found. A server that is away hides none of \
      the others, and nothing is waited for longer than some seconds. Pools that were removed are known from what the \
      ledger remembers of the last month.
      """)

  @Flag(help: "Print JSON.")
  var json = false
  @Option(
    name: .customLong("pool"), help: "Also look for what a pool of this name has left; may be given several times.")
  var pools: [String] = []

  func run() async throws {
    let diagnosis = Diagnosis(await Doctor(pools: pools.map(PoolName.init(rawValue:))).examine())
    if json {
      try printJSON(diagnosis)
    } else {
      print(diagnosis.text(isColoured: isatty(STDOUT_FILENO) == 1))
    }
    if !diagnosis.isHealthy { throw ExitCode.failure }
  }
}
