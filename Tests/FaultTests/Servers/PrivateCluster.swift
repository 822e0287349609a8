import Foundation
import TestServers

/// Three RabbitMQ nodes for one test: `scripts/cluster` in another folder, on other ports. PostgreSQL and Redis are
/// those of the environment.
struct PrivateCluster: Sendable {
  /// One URL that names all three nodes.
  let rabbitMQ: ServerURL
  private let environment: [String: String]

  /// Starts a cluster, runs `body`, and removes the cluster.
  static func with(_ body: (PrivateCluster) async throws -> Void) async throws {
    let cluster = try PrivateCluster()
    do {
      try await cluster.run("up")
      try await body(cluster)
      await cluster.remove()
    } catch {
      await cluster.remove()
      throw error
    }
  }

  private init() throws {
    let firstPort = 29_300 + Int.random(in: 0..<80) * 7
    var environment = ProcessInfo.processInfo.environment
    environment["VLUMA_CLUSTER_DIR"] =
      FileManager.default.temporaryDirectory.appending(path: "vluma-cluster-\(firstPort)").path
    environment["VLUMA_CLUSTER_PORT"] = "\(firstPort)"
    self.environment = environment
    rabbitMQ = try TestEnvironment.rabbitMQ().cluster(onPorts: [firstPort, firstPort + 1, firstPort + 2])
  }

  /// Runs `scripts/cluster` and returns its output.
  @discardableResult
  func run(_ arguments: String...) async throws -> String {
    try await runTool(repository.appending(path: "scripts/cluster"), arguments, environment: environment)
  }

  /// The number of the node that leads a queue, 1 to 3.
  func leader(of queue: String) async throws -> Int {
    let printed = try await run("leader", queue).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let node = Int(printed) else { throw TestError(description: "\(queue) has no leader: \(printed)") }
    return node
  }

  /// Waits until all three nodes run and see each other, and every queue would survive the loss of any one of them: a
  /// restarted node must catch up before the next one may fail.
  func waitUntilHealthy() async throws {
    try await eventually(within: .seconds(90), every: .milliseconds(500), "the three nodes are one") {
      (try? await self.run("status")) != nil
    }
    try await eventually(within: .seconds(90), every: .milliseconds(500), "any node may be lost") {
      (try? await self.run("safe")) != nil
    }
  }

  /// Runs in a task of its own: the task of a test that exceeds its time limit is cancelled, and the nodes must stop
  /// all the same.
  private func remove() async {
    await Task {
      _ = try? await run("down")
      _ = try? await run("remove")
    }.value
  }
}
