import ClientLoop
package import Foundation
import Glibc
import TestServers

/// One process of the platform.
package final class PlatformProcess: @unchecked Sendable {
  // @unchecked: Foundation's Process is started once, and later only its id is read.
  private let process = Process()
  private let log: URL
  private let exit = Promise<Int32>()

  /// Starts `vluma`; its output goes to `log`.
  ///
  /// - Parameter shell: commands to run in the process before it becomes `vluma`.
  package init(arguments: [String], environment: [String: String], log: URL, shell: String? = nil) async throws {
    self.log = log
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let binary = try Self.binary()
    process.executableURL = shell == nil ? binary : URL(filePath: "/bin/sh")
    process.arguments = shell.map { ["-c", "\($0); exec \"$0\" \"$@\"", binary.path] + arguments } ?? arguments
    process.environment = environment
    let output = try FileHandle(forWritingTo: log)
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    process.terminationHandler = { [exit] in exit.resolve(.success($0.terminationStatus)) }
    try await process.runWithSignals()
  }

  /// The program named by VLUMA_BINARY, or the debug build.
  private static func binary() throws -> URL {
    let named = ProcessInfo.processInfo.environment["VLUMA_BINARY"].map { URL(filePath: $0) }
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let url = named ?? root.appending(path: ".build/debug/vluma")
    guard FileManager.default.isExecutableFile(atPath: url.path) else {
      throw TestError(description: "there is no program at \(url.path): build it, or set VLUMA_BINARY")
    }
    return url
  }

  package var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

  package var processIdentifier: Int32 { process.processIdentifier }

  package var isRunning: Bool { exit.result == nil }

  package func send(_ signal: Int32) { if isRunning { kill(process.processIdentifier, signal) } }

  /// Waits until the process ends, and returns the exit status or the signal's number.
  @discardableResult
  package func ended(within limit: Duration = .seconds(20)) async throws -> Int32 {
    do { return try await withDeadline(.now + limit) { try await self.exit.wait() } } catch is DeadlineExceeded {
      throw TestError(description: "the process did not end; it printed:\n\(output)")
    }
  }

  /// Waits for the log line with the address it listens on.
  package func address() async throws -> String {
    var address: String?
    try await eventually(within: .seconds(20), "the process listens; it printed:\n\(output)") {
      guard isRunning else { throw TestError(description: "the process ended early:\n\(output)") }
      address = output.firstMatch(of: /listening address=(http:\S+)/).map { String($0.1) }
      return address != nil
    }
    return address ?? ""
  }
}
