import Curl
package import Foundation
import Glibc
import Messaging
package import Postgres
import RabbitMQ
import Synchronization
import TestServers
import WhatsApp

/// A platform for one test: a database, pools with unique names, processes, and a business that is always open.
package final class Platform: Sendable {
  package let name: String
  package let pool: PostgresConnectionPool
  package let business = UUID()
  package let service = UUID()
  package let professional = UUID()
  private let setup: Setup
  private let folder: URL
  let database: PostgresConfiguration
  let rabbitMQ: RabbitMQConfiguration
  let http = CurlClient()
  package let sandbox: SandboxHost?
  private let processes = Mutex<[PlatformProcess]>([])

  package var validatePool: String { "\(name).validate" }
  package var resolvePool: String { "\(name).resolve" }
  package var sendPool: String { "\(name).send" }
  package var inboundPool: String { "\(name).inbound" }
  package var rollupPool: String { "\(name).rollup" }

  private let servers: (rabbitMQ: ServerURL, postgres: ServerURL)

  private init(_ setup: Setup) throws {
    self.setup = setup
    servers = (try setup.rabbitMQ ?? TestEnvironment.rabbitMQ(), try setup.postgres ?? TestEnvironment.postgres())
    name = "t" + String(UInt64.random(in: 0 ... .max), radix: 36)
    folder = FileManager.default.temporaryDirectory.appending(path: "vluma-\(name)")
    // Another name than that of the program's sessions, so that faults of sessions spare those of the test.
    database = try PostgresConfiguration(url: servers.postgres.with(path: "/\(name)"), applicationName: "test")
    rabbitMQ = try RabbitMQConfiguration(url: servers.rabbitMQ.string)
    pool = PostgresConnectionPool(database, size: 4)
    sandbox = setup.sandbox.map { SandboxHost($0) }
  }

  package static let appSecret = "app_secret_123"
  /// The bearer token of the WhatsApp sandbox.
  package static let token = "test-token"
  /// The id of the business's number.
  package static let phoneNumberID = "106540352242922"

  /// Sets up a platform, runs `body`, and removes the platform with all its processes.
  package static func with(_ setup: Setup = Setup(), _ body: (Platform) async throws -> Void) async throws {
    let platform = try Platform(setup)
    try await platform.prepare()
    do {
      try await body(platform)
      await platform.tearDown()
    } catch {
      for process in platform.processes.withLock({ $0 }) {
        print("--- a process of \(platform.name):\n\(process.output)")
      }
      await platform.tearDown()
      throw error
    }
  }

  private func prepare() async throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(queuesFile.utf8).write(to: folder.appending(path: "queues.yaml"))
    let maintenance = try await PostgresConnection.connect(
      try PostgresConfiguration(url: servers.postgres.string))
    try await maintenance.runScript("CREATE DATABASE \(name)", deadline: .now + .seconds(30))
    await maintenance.close()
    for arguments in [["migrate"], ["topology", "apply"]] {
      let process = try await start(arguments, throughProxy: false)
      let status = try await process.ended()
      guard status == 0 else { throw TestError(description: "vluma \(arguments) failed: \(process.output)") }
    }
    try await loadCatalog()
    try await watchEffects()
    guard sandbox != nil else { return }
    try await MessageStore().put(
      number: Self.phoneNumberID, of: business, account: "102290129340398", display: "551130031234", in: pool)
  }

  private var queuesFile: String {
    let batch = setup.batch ? "\n    batch: { size: 20, wait: 2ms }" : ""
    return """
      version: 1
      retry_tiers: \(setup.tiers)
      defaults: { timeout: 20s, max_attempts: \(setup.maxAttempts), max_crashes: 3, backoff: \(setup.backoff) }
      pools:
        \(validatePool):
          jobs: [booking.validate]
          workers: { min: 1, start: 2, max: 8 }\(batch)
        \(resolvePool):
          jobs: [booking.resolve, booking.cancel, booking.reschedule, booking.confirm]
          workers: { min: 1, start: 2, max: 8 }\(batch)
        \(sendPool):
          jobs: [whatsapp.send_template]
          workers: { min: 1, start: 4, max: 16 }
          rate: \(setup.rate)
          max_attempts: 100
        \(inboundPool):
          jobs: [whatsapp.event]
          workers: { min: 1, start: 2, max: 8 }\(batch)
          record: \(setup.record)
        \(rollupPool):
          jobs: [metrics.event]
          workers: { min: 1, start: 1, max: 8 }
          batch: { size: 500, wait: 50ms }
        dead.letters: { jobs: [], workers: { min: 1, start: 1, max: 4 } }
      """
  }

  /// Starts `vluma` with these arguments.
  ///
  /// - Parameter shell: commands that a shell runs before it becomes `vluma`, such as a limit or a redirection.
  @discardableResult
  package func start(
    _ arguments: [String], failpoints: String? = nil, throughProxy: Bool = true, overriding: [String: String] = [:],
    shell: String? = nil
  ) async throws -> PlatformProcess {
    var environment = ProcessInfo.processInfo.environment
    let broker = servers.rabbitMQ
    // Without a proxy the URL is not changed: a cluster's names several hosts.
    environment["VLUMA_RABBITMQ_URL"] =
      (throughProxy ? setup.rabbitMQProxy : nil).map { broker.with(port: $0.port) } ?? broker.string
    if let redis = setup.redis ?? (try? TestEnvironment.redis()) {
      environment["VLUMA_REDIS_URL"] = redis.with(port: throughProxy ? setup.redisProxy?.port : nil)
    }
    let server = servers.postgres
    environment["VLUMA_POSTGRES_URL"] = server.with(
      port: throughProxy ? setup.postgresProxy?.port : nil, path: "/\(name)")
    environment["VLUMA_QUEUES_FILE"] = folder.appending(path: "queues.yaml").path
    environment["VLUMA_HTTP_PORT"] = "0"
    environment["VLUMA_GRACE_SECONDS"] = "1"
    environment["VLUMA_FAILPOINTS"] = failpoints
    environment["WHATSAPP_API_URL"] = try await sandbox?.url() ?? "http://127.0.0.1:1"
    environment["WHATSAPP_TOKEN"] = Self.token
    environment["WHATSAPP_APP_SECRET"] = Self.appSecret
    environment["WHATSAPP_VERIFY_TOKEN"] = "verify-me"
    environment["WHATSAPP_IN_DOUBT_SECONDS"] = "\(setup.inDoubtSeconds)"
    environment["WHATSAPP_IN_DOUBT_POLICY"] = setup.inDoubt
    environment.merge(overriding) { $1 }
    let log = folder.appending(path: "\(UUID()).log")
    let process = try await PlatformProcess(
      arguments: arguments, environment: environment, log: log, shell: shell)
    processes.withLock { $0.append(process) }
    return process
  }

  /// The output of each process.
  package var outputs: [String] { processes.withLock { $0 }.map(\.output) }

  var queues: [String] {
    [validatePool, resolvePool, sendPool, inboundPool, rollupPool].flatMap { [$0, "\($0).dead"] }
  }

  private func tearDown() async {
    for process in processes.withLock({ $0 }) { process.send(SIGKILL) }
    for process in processes.withLock({ $0 }) { _ = try? await process.ended() }
    await sandbox?.stop()
    await pool.close()
    _ = try? await RabbitMQAdministration.with(rabbitMQ) { broker in
      for queue in queues { try await broker.deleteQueue(queue, onlyIfEmpty: false) }
    }
    if let configuration = try? PostgresConfiguration(url: servers.postgres.string),
      let maintenance = try? await PostgresConnection.connect(configuration)
    {
      try? await maintenance.runScript("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", deadline: .now + .seconds(30))
      await maintenance.close()
    }
    try? FileManager.default.removeItem(at: folder)
  }
}
