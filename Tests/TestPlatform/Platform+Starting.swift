import Curl
import TestServers

/// Starts processes as an operator or a supervisor does.
extension Platform {
  /// Starts a worker process and waits until it is ready, or has ended at a failpoint.
  @discardableResult
  package func startWorker(
    failpoints: String? = nil, pools: [String] = [], overriding: [String: String] = [:], shell: String? = nil
  ) async throws -> PlatformProcess {
    let worker = try await start(
      ["work"] + pools.flatMap { ["--pool", $0] }, failpoints: failpoints, overriding: overriding,
      shell: shell)
    let address = try await worker.address()
    try await eventually(within: .seconds(20), "the worker is ready; it printed:\n\(worker.output)") {
      guard worker.isRunning else { return true }  // ended at a failpoint
      return (try? await self.request("GET", "\(address)/readyz"))?.status == 200
    }
    return worker
  }

  package func startIngest(
    failpoints: String? = nil, overriding: [String: String] = [:], shell: String? = nil
  ) async throws -> (process: PlatformProcess, address: String) {
    let ingest = try await start(["ingest"], failpoints: failpoints, overriding: overriding, shell: shell)
    let address = try await ingest.address()
    sandbox?.send(webhooksTo: "\(address)/webhooks/whatsapp")
    return (ingest, address)
  }

  /// Runs a command to its end and returns its exit status and what it printed.
  @discardableResult
  package func command(_ arguments: String...) async throws -> (status: Int32, output: String) {
    let process = try await start(arguments, throughProxy: false)
    return (try await process.ended(), process.output)
  }
}
