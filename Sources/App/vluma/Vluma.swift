import ArgumentParser
import ClientLoop
import Foundation
import Glibc
import JobConfiguration
import Jobs
import JobsRabbitMQ
import Postgres
import RabbitMQ

/// The program. Exit codes: 0 success, 1 failure, 2 wrong usage, 64 to 78 as in sysexits where one fits.
@main
struct Vluma: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vluma",
    abstract: "AgendVluma's job-queue platform.",
    subcommands: [
      UpCommand.self, IngestCommand.self, WorkCommand.self, MigrateCommand.self, CheckCommand.self,
      DoctorCommand.self, TopologyCommand.self, QueuesCommand.self, ScaleCommand.self, PauseCommand.self,
      ResumeCommand.self, MoveCommand.self, DeadCommand.self, MissingCommand.self, TraceCommand.self,
      ReportCommand.self,
      WhatsAppCommand.self, SandboxCommand.self, DemoCommand.self,
    ])

  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    DescriptorLimit.raise()
    defer { LineWriter.standardError.flush() }
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      try StandardOutput.flush()
    } catch let code as ExitCode {
      end(code.rawValue)
    } catch {
      fail(error)
    }
  }

  private static func end(_ code: Int32) -> Never {
    LineWriter.standardError.flush()
    Glibc.exit(code)
  }

  /// Prints the error in as few lines as possible, and ends the process.
  private static func fail(_ error: any Error) -> Never {
    let code: Int32 =
      switch error {
      case let notReady as Preflight.NotReady: notReady.exitCode
      case is Environment.Invalid, is InvalidConfiguration, is TopologyMismatch, is DescriptorLimit.TooLow: EX_CONFIG
      case is OutputNotWritten: EX_IOERR
      case let error as PostgresError where error.isUnavailable: EX_UNAVAILABLE
      case JobStoreError.unavailable: EX_UNAVAILABLE
      case is RabbitMQError: EX_UNAVAILABLE
      case is UnknownPool: 2
      default: exitCode(for: error) == .validationFailure ? 2 : exitCode(for: error).rawValue
      }
    let isParsing = exitCode(for: error) != .failure
    // Help and version are not failures and go to standard output.
    if isParsing, code == 0 {
      print(fullMessage(for: error))
      do { try StandardOutput.flush() } catch { fail(error) }
      end(code)
    }
    LineWriter.standardError.write(isParsing ? fullMessage(for: error) + "\n" : "vluma: \(error)\n")
    end(code)
  }
}
