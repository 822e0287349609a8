import ArgumentParser
import Glibc
import JobOperations
import Postgres

struct QueuesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queues", abstract: "Show queues and pools: jobs queued, running, scheduled and dead.")

  @Flag(help: "Print JSON.")
  var json = false
  @Flag(help: "Refresh every second until interrupted.")
  var watch = false

  func run() async throws {
    let builder = try AppBuilder()
    let pool = try builder.pool()
    let collector = try builder.statusCollector(try builder.configuration(), pool)
    repeat {
      let status = await collector.status()
      if json {
        try printJSON(StatusDocument(status), isIndented: !watch)
      } else {
        if watch, isatty(STDOUT_FILENO) == 1 { print("\u{1B}[H\u{1B}[2J", terminator: "") }
        print(StatusTable(status).text(isColoured: isatty(STDOUT_FILENO) == 1))
      }
      // A reader that is gone ends --watch.
      try StandardOutput.flush()
      if !watch, !status.errors.isEmpty { throw ExitCode.failure }
      if watch { try await Task.sleep(for: .seconds(1)) }
    } while watch
    await pool.close()
  }
}
