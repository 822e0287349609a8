import ArgumentParser
import Foundation
import Glibc
import JobConfiguration
import JobsRabbitMQ
import Postgres
import RabbitMQ
import Wires

/// The program. Exit codes: 0 done, 1 it failed, 2 wrong usage, 64 to 78 as sysexits where they fit.
@main
struct Vluma: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vluma",
    abstract: "AgendVluma's job platform: takes bookings, works on them, and never loses one.",
    subcommands: [
      Up.self, IngestCommand.self, Work.self, Migrate.self, Check.self, DoctorCommand.self, TopologyCommand.self,
      Queues.self, Scale.self, Pause.self, Resume.self, Move.self, Dead.self, Trace.self, Report.self,
      WhatsAppCommand.self, Sandbox.self, Demo.self,
    ])

  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let code as ExitCode {
      Glibc.exit(code.rawValue)
    } catch {
      fail(error)
    }
  }

  /// Says what went wrong in as few lines as it takes, and ends the process.
  private static func fail(_ error: any Error) -> Never {
    let code: Int32 =
      switch error {
      case let unready as StartupCheck.Unready: unready.exitCode
      case is Environment.Invalid, is InvalidConfiguration, is TopologyMismatch: EX_CONFIG
      case let error as PostgresError where error.isUnavailable: EX_UNAVAILABLE
      case is RabbitMQError: EX_UNAVAILABLE
      case is UnknownPool: 2
      default: exitCode(for: error) == .validationFailure ? 2 : exitCode(for: error).rawValue
      }
    let isParsing = exitCode(for: error) != .failure
    // Help and version are no failures and go to standard output.
    if isParsing {
      let text = fullMessage(for: error)
      if code == 0 { print(text) } else { FileHandle.standardError.write(Data((text + "\n").utf8)) }
    } else {
      FileHandle.standardError.write(Data("vluma: \(error)\n".utf8))
    }
    Glibc.exit(code)
  }
}
