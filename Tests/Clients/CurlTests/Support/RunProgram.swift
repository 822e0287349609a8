import Foundation
import TestServers

/// Runs a program to its end; throws what it printed where it fails.
func runProgram(_ path: String, _ arguments: [String], in folder: TestFolder) async throws {
  let log = folder.url.appending(path: "program.log")
  try Data().write(to: log)
  let output = try FileHandle(forWritingTo: log)
  let status = Locked<Int32?>(nil)
  let process = Process()
  process.executableURL = URL(filePath: path)
  process.arguments = arguments
  process.currentDirectoryURL = folder.url
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = output
  process.standardError = output
  process.terminationHandler = { ended in status.change { $0 = ended.terminationStatus } }
  try await process.runWithSignals()
  try await eventually(within: .seconds(30), "\(path) ended") { status.value != nil }
  guard status.value == 0 else {
    let printed = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    throw TestError(description: "\(path) \(arguments) failed:\n\(printed)")
  }
}
