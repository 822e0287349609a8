import BookingCalendar
import Bookings
import Curl
package import Foundation
import Glibc
import Messaging
package import Postgres
import RabbitMQ
import Synchronization
package import TestServers
import WhatsApp
package import WhatsAppSandbox

/// A whole platform of its own: a database, pools with names nobody else has, processes, and a business that is always open.
package final class Platform: Sendable {
  /// How queues.yaml is to be.
  package struct Setup: Sendable {
    package var maxAttempts = 5
    package var tiers = "[1s, 5s]"
    package var backoff = "{ base: 100ms, factor: 2, max: 1s, jitter: full }"
    package var batch = true
    /// PostgreSQL as the platform's processes see it; nil: the real one.
    package var postgresProxy: TCPProxy?
    /// Servers other than those of the environment.
    package var postgres: ServerURL?
    package var rabbitMQ: ServerURL?
    package var redis: ServerURL?
    /// RabbitMQ and Redis likewise.
    package var rabbitMQProxy: TCPProxy?
    package var redisProxy: TCPProxy?
    /// The stand-in for WhatsApp; nil: there is none, and the business has no number to write from.
    package var sandbox: SandboxConfiguration?
    /// How long a message in doubt waits for a report, in seconds.
    package var inDoubtSeconds = 5
    /// What becomes of one then: resend or give_up.
    package var inDoubt = "resend"
    /// The rate of sending.
    package var rate = "80/s"

    package init() {}
  }

  package let name: String
  package let pool: PostgresConnectionPool
  package let business = UUID()
  package let service = UUID()
  package let professional = UUID()
  private let setup: Setup
  private let folder: URL
  private let database: PostgresConfiguration
  private let rabbitMQ: RabbitMQConfiguration
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
    database = try PostgresConfiguration(url: servers.postgres.with(path: "/\(name)"))
    rabbitMQ = try RabbitMQConfiguration(url: servers.rabbitMQ.string)
    pool = PostgresConnectionPool(database, size: 4)
    sandbox = setup.sandbox.map { SandboxHost($0) }
  }

  /// What signs webhooks.
  package static let appSecret = "app_secret_123"
  /// The token of the stand-in for WhatsApp.
  package static let token = "test-token"
  /// The id of the business' number.
  package static let phoneNumberID = "106540352242922"

  /// Sets a platform up for the length of `body`, and takes it away with all its processes.
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
        \(rollupPool):
          jobs: [metrics.event]
          workers: { min: 1, start: 1, max: 8 }
          batch: { size: 500, wait: 50ms }
        dead.letters: { jobs: [], workers: { min: 1, start: 1, max: 4 } }
      """
  }

  /// Open day and night, in half hours, at no notice.
  package func loadCatalog() async throws {
    let catalog = CatalogStore()
    let rules = BusinessRules(timeZone: .gmt, minimumNotice: 0, horizon: 300 * 86_400)
    try await catalog.put(business: business, name: "Always open", rules: rules, in: pool)
    try await catalog.put(
      service: service, of: business, name: "Half an hour", rules: ServiceRules(duration: 1_800), in: pool)
    let allDay = [LocalTime("00:00"), LocalTime("24:00")].compactMap { $0 }
    let hours = Dictionary(
      uniqueKeysWithValues: Weekday.allCases.map { ($0, [Schedule.Hours(start: allDay[0], end: allDay[1])]) })
    try await catalog.put(
      professional: professional, of: business, name: "Tireless", schedule: Schedule(weekly: hours),
      offering: [service], in: pool)
  }

  /// Makes every attempt to validate fail, until ``loadCatalog()`` mends it.
  package func breakCatalog() async throws {
    try await pool.query("UPDATE bookings.professional SET schedule = '{\"weekly\": {\"someday\": []}}'")
  }

  /// A log of effects kept by triggers: what happens twice stands there twice.
  private func watchEffects() async throws {
    let connection = try await PostgresConnection.connect(database)
    try await connection.runScript(
      """
      CREATE TABLE effect (booking uuid NOT NULL, what text NOT NULL);
      CREATE FUNCTION note_booking() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'INSERT' THEN INSERT INTO effect VALUES (NEW.id, 'stored');
        ELSIF NEW.status <> OLD.status THEN INSERT INTO effect VALUES (NEW.id, NEW.status); END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER note AFTER INSERT OR UPDATE ON bookings.booking FOR EACH ROW EXECUTE FUNCTION note_booking();
      """, deadline: .now + .seconds(10))
    await connection.close()
  }

  /// Starts `vluma` with these arguments.
  ///
  /// - Parameter shell: commands that a shell runs first and that the process inherits: a limit, a redirected stream.
  @discardableResult
  package func start(
    _ arguments: [String], failpoints: String? = nil, throughProxy: Bool = true, overriding: [String: String] = [:],
    shell: String? = nil
  ) async throws -> PlatformProcess {
    var environment = ProcessInfo.processInfo.environment
    let broker = servers.rabbitMQ
    // Left as it is without a proxy: a cluster's URL names several hosts.
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
    environment["WHATSAPP_QUIET_SECONDS"] = "\(setup.inDoubtSeconds)"
    environment["WHATSAPP_IN_DOUBT"] = setup.inDoubt
    environment.merge(overriding) { $1 }
    let log = folder.appending(path: "\(UUID()).log")
    let process = try await PlatformProcess(
      arguments: arguments, environment: environment, log: log, shell: shell)
    processes.withLock { $0.append(process) }
    return process
  }

  /// What each process has printed.
  package var outputs: [String] { processes.withLock { $0 }.map(\.output) }

  /// Waits until no job is left anywhere: not in a queue, the outbox, a delay, or a worker's hands. Nodes report what they have in
  /// hand once a second, so it must look inDoubtSeconds for longer than that.
  package func waitUntilIdle(within limit: Duration = .seconds(40)) async throws {
    var idleSince: ContinuousClock.Instant?
    do {
      try await eventually(within: limit, "all jobs have ended") {
        guard try await self.pendingJobs().isEmpty else {
          idleSince = nil
          return false
        }
        if idleSince == nil { idleSince = .now }
        return idleSince.map { $0 + .seconds(2) < .now } ?? false
      }
    } catch is TestError {
      throw TestError(
        description: "not within \(limit): all jobs of \(name) have ended; there are \(try await pendingJobs())")
    }
  }

  /// Waits until every message has its end. Doubts end when later webhooks come: customers write meanwhile.
  package func waitUntilMessagesSettle(within limit: Duration = .seconds(90)) async throws {
    try await eventually(within: limit, every: .seconds(1), "all messages have ended") {
      try await self.sandbox?.write("Obrigado!", from: "5511999990000")
      return try await self.number(
        "SELECT count(*) FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt')") == 0
    }
  }

  /// Where jobs are left, and how many.
  private func pendingJobs() async throws -> [String: Int] {
    var pendingJobs: [String: Int] = [:]
    let rows = try await pool.query(
      """
      SELECT 'outbox', count(*) FROM jobs.outbox UNION ALL SELECT 'scheduled', count(*) FROM jobs.scheduled UNION ALL
      SELECT 'in hand of ' || node.id || ': ' || pool.key, (pool.value ->> 'running')::bigint
      FROM jobs.node, jsonb_each(pools) AS pool WHERE lease_until > now()
      """)
    for row in rows { pendingJobs[try row.decode(0)] = try row.decode(1, as: Int.self) }
    try await RabbitMQAdministration.with(rabbitMQ) { broker in
      for queue in queues { pendingJobs[queue] = try await broker.queueDepth(queue)?.messages ?? 0 }
    }
    return pendingJobs.filter { $0.value != 0 }
  }

  private var queues: [String] {
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
