import Foundation
import TestServers

/// A set of servers that one test may kill: `scripts/services` in another folder, on other ports.
struct PrivateServers: Sendable {
  let rabbitMQ: ServerURL
  let postgres: ServerURL
  let redis: ServerURL
  private let environment: [String: String]
  private let folder: URL
  private let firstPort: Int

  /// Starts servers, runs `body`, and removes the servers.
  ///
  /// - Parameter postgresMegabytes: the size of a disk of PostgreSQL's own; nil: it uses the machine's.
  static func with(postgresMegabytes: Int? = nil, _ body: (PrivateServers) async throws -> Void) async throws {
    let servers = try PrivateServers(postgresMegabytes: postgresMegabytes)
    do {
      try await servers.run("up")
      try await body(servers)
      await servers.remove()
    } catch {
      await servers.remove()
      throw error
    }
  }

  private init(postgresMegabytes: Int?) throws {
    (firstPort, folder) = try Self.claim()
    var environment = ProcessInfo.processInfo.environment
    environment["VLUMA_SERVICES_DIR"] = folder.path
    environment["VLUMA_SERVICES_PORT"] = "\(firstPort)"
    environment["VLUMA_SERVICES_POSTGRES_MB"] = postgresMegabytes.map { "\($0)" }
    self.environment = environment
    rabbitMQ = try TestEnvironment.rabbitMQ().onPort(firstPort)
    postgres = try TestEnvironment.postgres().onPort(firstPort + 2)
    redis = try TestEnvironment.redis().onPort(firstPort + 3)
  }

  /// Reserves ports by creating their folder, also against other processes.
  private static func claim() throws -> (firstPort: Int, folder: URL) {
    for slot in (0..<200).shuffled() {
      let firstPort = 28_000 + slot * 6
      let folder = FileManager.default.temporaryDirectory.appending(path: "vluma-servers-\(firstPort)")
      do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        return (firstPort, folder)
      } catch CocoaError.fileWriteFileExists { continue }
    }
    throw TestError(description: "every folder /tmp/vluma-servers-* is taken: delete those of tests that were killed")
  }

  /// Runs `scripts/services`.
  func run(_ arguments: String...) async throws {
    try await runTool(repository.appending(path: "scripts/services"), arguments, environment: environment)
  }

  /// Runs RabbitMQ's own tool against this set's node: the environment is what `scripts/services` gives the node.
  func rabbitmqctl(_ arguments: String...) async throws {
    let home = folder.appending(path: "rabbitmq").path
    let names = [
      "HOME": home, "RABBITMQ_NODENAME": "vluma-\(firstPort)@localhost", "RABBITMQ_CONF_ENV_FILE": "/dev/null",
      "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": "\(firstPort + 4)", "LANG": "C.UTF-8",
    ]
    try await runTool(
      URL(filePath: "/usr/lib/rabbitmq/bin/rabbitmqctl"), ["--quiet"] + arguments,
      environment: environment.merging(names) { $1 })
  }

  func emptyRedis() async throws {
    try await runTool(
      URL(filePath: "/usr/bin/redis-cli"), ["-h", redis.host, "-p", "\(redis.port)", "FLUSHALL"],
      environment: environment)
  }

  /// Runs in a task of its own: the task of a test that exceeds its time limit is cancelled, and the servers must stop
  /// all the same.
  private func remove() async {
    await Task {
      try? await run("down")
      try? await run("remove")
    }.value
  }
}
