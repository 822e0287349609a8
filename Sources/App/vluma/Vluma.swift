import ArgumentParser
import ClientLoop
import Foundation
import Glibc
import JobConfiguration
import JobsRabbitMQ
import Postgres
import RabbitMQ

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
    DescriptorLimit.raise()
    defer { LineWriter.standardError.flush() }
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      try checkStandardOutput()
    } catch let code as ExitCode {
      end(code.rawValue)
    } catch {
      fail(error)
    }
  }

  /// What was printed may still be in a buffer, and `print` tells nobody when it cannot be written.
  private static func checkStandardOutput() throws {
    guard fflush(nil) != 0 else { return }
    throw OutputNotWritten(errno: errno)
  }

  private static func end(_ code: Int32) -> Never {
    LineWriter.standardError.flush()
    Glibc.exit(code)
  }

  /// Says what went wrong in as few lines as it takes, and ends the process.
  private static func fail(_ error: any Error) -> Never {
    let code: Int32 =
      switch error {
      case let notReady as Preflight.NotReady: notReady.exitCode
      case is Environment.Invalid, is InvalidConfiguration, is TopologyMismatch, is DescriptorLimit.TooLow: EX_CONFIG
      case is OutputNotWritten: EX_IOERR
      case let error as PostgresError where error.isUnavailable: EX_UNAVAILABLE
      case is RabbitMQError: EX_UNAVAILABLE
      case is UnknownPool: 2
      default: exitCode(for: error) == .validationFailure ? 2 : exitCode(for: error).rawValue
      }
    let isParsing = exitCode(for: error) != .failure
    // Help and version are no failures and go to standard output.
    if isParsing {
      let text = fullMessage(for: error)
      if code == 0 { print(text) } else { LineWriter.standardError.write(text + "\n") }
    } else {
      LineWriter.standardError.write("vluma: \(error)\n")
    }
    end(code)
  }
}

/// Standard output did not take what was printed: a full disk, or a reader that is gone.
struct OutputNotWritten: Error, CustomStringConvertible {
  let errno: Int32
  var description: String { "standard output could not be written: \(String(cString: strerror(errno)))" }
}
