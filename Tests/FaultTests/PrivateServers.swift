import Foundation
import TestServers
import Wires

/// A set of servers of one test's own, which it may kill: `scripts/services` in another folder, on other ports.
struct PrivateServers: Sendable {
  let rabbitMQ: ServerURL
  let postgres: ServerURL
  private let environment: [String: String]
  private let folder: URL
  private let firstPort: Int

  /// Starts servers for the length of `body`.
  static func with(_ body: (PrivateServers) async throws -> Void) async throws {
    let servers = try PrivateServers()
    try await servers.run("up")
    do {
      try await body(servers)
      await servers.remove()
    } catch {
      await servers.remove()
      throw error
    }
  }

  private init() throws {
    firstPort = 28_000 + Int.random(in: 0..<200) * 6
    folder = FileManager.default.temporaryDirectory.appending(path: "vluma-servers-\(firstPort)")
    var environment = ProcessInfo.processInfo.environment
    environment["VLUMA_SERVICES_DIR"] = folder.path
    environment["VLUMA_SERVICES_PORT"] = "\(firstPort)"
    self.environment = environment
    rabbitMQ = try TestEnvironment.rabbitMQ().onPort(firstPort)
    postgres = try TestEnvironment.postgres().onPort(firstPort + 2)
  }

  /// Runs `scripts/services` with these arguments, and waits.
  func run(_ arguments: String...) async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let process = Process()
    process.executableURL = root.appending(path: "scripts/services")
    process.arguments = arguments
    process.environment = environment
    // Not a pipe: the servers would inherit it and keep it open.
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    let exit = OneShot<Int32>()
    process.terminationHandler = { exit.resolve(.success($0.terminationStatus)) }
    try await process.runWithSignals()
    guard try await exit.wait() == 0 else {
      throw NotInTime(description: "scripts/services \(arguments) failed; see the logs under \(folder.path)")
    }
  }

  private func remove() async {
    try? await run("down")
    try? await run("remove")
  }
}
