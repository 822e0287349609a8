import Curl
import TestServers

/// Starts processes as an operator or a supervisor does.
extension Platform {
  /// Starts a worker process and waits until it is ready, or has ended at a failpoint.
  ///
  /// - Parameter port: where it listens; nil: the system chooses, and the log says which one.
  @discardableResult
  package func startWorker(
    failpoints: String? = nil, pools: [String] = [], overriding: [String: String] = [:], shell: String? = nil,
    port: Int? = nil
  ) async throws -> PlatformProcess {
    let worker = try await start(
      ["work"] + pools.flatMap { ["--pool", $0] }, failpoints: failpoints,
      overriding: overriding.merging(Self.listening(on: port)) { $1 }, shell: shell)
    let address = try await address(of: worker, port)
    try await eventually(within: .seconds(20), "the worker is ready; it printed:\n\(worker.output)") {
      guard worker.isRunning else { return true }  // ended at a failpoint
      return (try? await self.request("GET", "\(address)/readyz"))?.status == 200
    }
    return worker
  }

  package func startIngest(
    failpoints: String? = nil, overriding: [String: String] = [:], shell: String? = nil, port: Int? = nil
  ) async throws -> (process: PlatformProcess, address: String) {
    let ingest = try await start(
      ["ingest"], failpoints: failpoints, overriding: overriding.merging(Self.listening(on: port)) { $1 }, shell: shell)
    let address = try await address(of: ingest, port)
    sandbox?.send(webhooksTo: "\(address)/webhooks/whatsapp")
    return (ingest, address)
  }

  private static func listening(on port: Int?) -> [String: String] { port.map { ["VLUMA_HTTP_PORT": "\($0)"] } ?? [:] }

  /// Waits until the process listens.
  private func address(of process: PlatformProcess, _ port: Int?) async throws -> String {
    guard let port else { return try await process.address() }
    try await eventually(within: .seconds(20), every: .milliseconds(20), "the process listens on port \(port)") {
      guard process.isRunning else { throw TestError(description: "the process ended early:\n\(process.output)") }
      return Loopback.isListening(onPort: port)
    }
    return "http://127.0.0.1:\(port)"
  }

  /// Runs a command to its end and returns its exit status and what it printed.
  @discardableResult
  package func command(_ arguments: String...) async throws -> (status: Int32, output: String) {
    try await command(arguments)
  }

  @discardableResult
  package func command(_ arguments: [String]) async throws -> (status: Int32, output: String) {
    let process = try await start(arguments, throughProxy: false)
    return (try await process.ended(), process.output)
  }
}
