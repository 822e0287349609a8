import ClientLoop
import Foundation
import TestServers

let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
  .deletingLastPathComponent()

/// Runs a program and returns its output; throws the output where the status is not 0.
@discardableResult
func runTool(_ program: URL, _ arguments: [String], environment: [String: String]) async throws -> String {
  let name = program.lastPathComponent
  let file = FileManager.default.temporaryDirectory.appending(path: "vluma-\(name)-\(UUID()).out")
  _ = FileManager.default.createFile(atPath: file.path, contents: nil)
  defer { try? FileManager.default.removeItem(at: file) }
  // A file and not a pipe: servers that the program starts would inherit a pipe and keep it open.
  let output = try FileHandle(forWritingTo: file)
  defer { try? output.close() }
  let process = Process()
  process.executableURL = program
  process.arguments = arguments
  process.environment = environment
  process.standardOutput = output
  process.standardError = output
  process.standardInput = FileHandle.nullDevice
  let exit = Promise<Int32>()
  process.terminationHandler = { exit.resolve(.success($0.terminationStatus)) }
  try await process.runWithSignals()
  let status = try await exit.wait()
  let printed = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  guard status == 0 else {
    throw TestError(description: "\(name) \(arguments.joined(separator: " ")) ended with \(status): \(printed)")
  }
  return printed
}
