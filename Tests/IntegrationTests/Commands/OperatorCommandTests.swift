import Curl
import Foundation
import Glibc
import Postgres
import RabbitMQ
import TestPlatform
import TestServers
import Testing

/// What an operator does, with the real program.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct OperatorCommandTests {
  /// The platform's own account of itself.
  private struct Status: Decodable {
    struct Pool: Decodable {
      let name: String
      let queued: Int?
      let running: Int
      let dead: Int
      let size: Int
      let localConcurrency: Int
      let isPaused: Bool
      let nodes: Int
    }
    let pools: [Pool]

    func pool(_ name: String) throws -> Pool { try #require(pools.first { $0.name == name }) }
  }

  private func status(_ platform: Platform) async throws -> Status {
    let (code, output) = try await platform.command("queues", "--json")
    #expect(code == 0, "\(output)")
    return try JSONDecoder().decode(Status.self, from: Data(output.utf8))
  }

  @Test func `scale takes effect within a second, is shared out over nodes, persists and is audited`() async throws {
    try await Platform.with { platform in
      let pool = platform.validatePool
      let first = try await platform.startWorker()
      #expect(try await platform.command("scale", pool, "7").output == "\(pool): size 7\n")
      try await eventually(within: .seconds(3), "one node has all") {
        try await status(platform).pool(pool).localConcurrency == 7
      }
      let second = try await platform.startWorker()
      try await eventually(within: .seconds(5), "two nodes split it") {
        let entry = try await status(platform).pool(pool)
        return entry.nodes == 2 && entry.localConcurrency == 7
      }
      first.send(SIGKILL)
      try await eventually(within: .seconds(15), "a node that died loses its part") {
        let entry = try await status(platform).pool(pool)
        return entry.nodes == 1 && entry.localConcurrency == 7
      }
      second.send(SIGTERM)
      #expect(try await second.ended() == 0)
      try await platform.startWorker()
      try await eventually(within: .seconds(5), "the size survived") {
        try await status(platform).pool(pool).localConcurrency == 7
      }
      let audit = try await platform.pool.query(
        "SELECT who, before, after, at > now() - interval '3 minutes' FROM jobs.audit WHERE target = \(pool)")
      #expect(audit.count == 1)
      #expect(try !audit[0].decode(0, as: String.self).isEmpty)
      #expect(try audit[0].decode(1, as: String.self) == "size from queues.yaml")
      #expect(try audit[0].decode(2, as: String.self) == "size 7")
      #expect(try audit[0].decode(3, as: Bool.self))
      #expect(try await platform.command("scale", pool, "0").status == 2)
      #expect(try await platform.command("scale", pool, "9").status == 2)
      #expect(try await platform.command("scale", "nowhere", "1").status == 2)
      #expect(try await platform.command("scale", pool, "many").status == 2)
    }
  }

  @Test func `a paused pool takes nothing, and a resumed one goes on`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      #expect(try await platform.command("pause", platform.validatePool).status == 0)
      try await eventually("it is paused") {
        try await status(platform).pool(platform.validatePool).localConcurrency == 0
      }
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      try await eventually("the job waits") { try await status(platform).pool(platform.validatePool).queued == 1 }
      #expect(try await platform.status(of: booking) == nil)
      #expect(try await platform.command("resume", platform.validatePool).status == 0)
      try await platform.wait(for: "confirmed", of: booking)
    }
  }

  @Test func `dead jobs are grouped, listed, shown without personal data, retried and archived`() async throws {
    var setup = Platform.Setup()
    setup.maxAttempts = 1
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      try await platform.breakCatalog()
      for index in 0..<3 { _ = try await platform.book(index, at: address) }
      try await eventually("three jobs are dead") { try await status(platform).pool(platform.validatePool).dead == 3 }
      let (_, groups) = try await platform.command("dead", "groups")
      #expect(groups.contains("attempts_exhausted"))
      let (_, list) = try await platform.command("dead", "list", "--json")
      #expect(!list.contains("Maria") && !list.contains("98765"))
      let ids = list.matches(of: /"job" : "([0-9a-f-]+)"/).map { String($0.1) }
      #expect(ids.count == 3)
      let (_, shown) = try await platform.command("dead", "show", ids[0])
      #expect(shown.contains("DecodingError") && !shown.contains("Maria"))
      #expect(try await platform.command("dead", "show", ids[0], "--body").output.contains("Maria"))
      #expect(try await platform.command("dead", "retry").status == 2)
      #expect(try await platform.command("dead", "retry", "nonsense").status == 2)
      #expect(try await platform.command("dead", "archive", ids[0]).output == "1 archived\n")
      try await platform.loadCatalog()
      #expect(try await platform.command("dead", "retry", "--pool", platform.validatePool).status == 0)
      try await eventually("two bookings are confirmed") {
        try await platform.number("SELECT count(*) FROM bookings.booking WHERE status = 'confirmed'") == 2
      }
      #expect(try await status(platform).pool(platform.validatePool).dead == 0)
    }
  }

  @Test func `ten nodes apply the topology at once, and a queue with other arguments stops them`() async throws {
    try await Platform.with { platform in
      try await withThrowingTaskGroup(of: Int32.self) { group in
        for _ in 0..<10 { group.addTask { try await platform.command("topology", "apply").status } }
        for try await status in group { #expect(status == 0) }
      }
      let rabbitMQ = try RabbitMQConfiguration(url: try TestEnvironment.rabbitMQ().string)
      try await RabbitMQAdministration.with(rabbitMQ) { broker in
        try await broker.deleteQueue(platform.validatePool, onlyIfEmpty: false)
        try await broker.declareQueue(platform.validatePool, arguments: ["x-queue-type": .string("quorum")])
      }
      for arguments in [["topology", "apply"], ["topology", "plan"], ["work"], ["ingest"]] {
        let process = try await platform.start(arguments)
        #expect(try await process.ended() != 0)
        #expect(process.output.contains("queue \(platform.validatePool)"), "\(process.output)")
        #expect(process.output.contains("x-d"), "\(process.output)")
      }
    }
  }

  @Test func `migrate runs on ten nodes at once`() async throws {
    try await Platform.with { platform in
      try await platform.pool.query("DROP SCHEMA bookings CASCADE")
      try await platform.pool.query("DELETE FROM schema_migration WHERE name LIKE 'bookings%'")
      #expect(try await platform.start(["work"]).ended() == 78)
      let applied = try await withThrowingTaskGroup(of: (Int32, String).self) { group in
        for _ in 0..<10 { group.addTask { try await platform.command("migrate") } }
        return try await group.reduce(into: 0) { count, result in
          #expect(result.0 == 0, "\(result.1)")
          if result.1.contains("Applied") { count += 1 }
        }
      }
      #expect(applied == 1)
    }
  }

  @Test(arguments: [
    ("VLUMA_POSTGRES_URL", "postgres://vluma:hunter2@127.0.0.1:1/vluma", Int32(69), "PostgreSQL at 127.0.0.1:1"),
    ("VLUMA_POSTGRES_URL", "", 78, "VLUMA_POSTGRES_URL is not set"),
    ("VLUMA_POSTGRES_URL", "mysql://x:hunter2@y/z", 78, "VLUMA_POSTGRES_URL is malformed"),
    ("VLUMA_RABBITMQ_URL", "amqp://guest:hunter2@127.0.0.1:1/", 69, "RabbitMQ at 127.0.0.1:1"),
    ("VLUMA_RABBITMQ_URL", "refused", 69, "refused the login"),
    ("VLUMA_RABBITMQ_URL", "http://x:hunter2@y", 78, "VLUMA_RABBITMQ_URL is malformed"),
    ("VLUMA_REDIS_URL", "http://x:hunter2@y", 78, "VLUMA_REDIS_URL is malformed"),
    ("VLUMA_REDIS_URL", "wrong password", 69, "refused the login: AUTH"),
    ("VLUMA_HTTP_PORT", "eighty", 78, "VLUMA_HTTP_PORT must be a number"),
    ("VLUMA_LOG_LEVEL", "loud", 78, "VLUMA_LOG_LEVEL must be one of"),
    ("VLUMA_QUEUES_FILE", "/nowhere.yaml", 78, "VLUMA_QUEUES_FILE names /nowhere.yaml"),
  ])
  func `a server away or a variable wrong is one clear line and an exit status`(
    variable: String, value: String, code: Int32, line: String
  ) async throws {
    var value = value == "refused" ? try TestEnvironment.rabbitMQ().with(user: "guest", password: "hunter2") : value
    if value == "wrong password" { value = try TestEnvironment.redis().with(user: "anna", password: "hunter2") }
    try await Platform.with { [value] platform in
      // The front does without PostgreSQL.
      for command in ["ingest", "work", "up"] where !(command == "ingest" && line.hasPrefix("PostgreSQL at")) {
        let process = try await platform.start([command], overriding: [variable: value])
        #expect(try await process.ended() == code, "\(command): \(process.output)")
        let lines = process.output.split(separator: "\n")
        #expect(lines.count == 1, "\(process.output)")
        #expect(process.output.contains(line), "\(process.output)")
        #expect(!process.output.contains("hunter2"), "\(process.output)")
      }
    }
  }

  @Test func `vluma check reports every problem with its place`() async throws {
    try await Platform.with { platform in
      let file = FileManager.default.temporaryDirectory.appending(path: "\(platform.name).yaml")
      defer { try? FileManager.default.removeItem(at: file) }
      let text = """
        version: 1
        retry_tiers: [1s]
        pools:
          booking.validate: { jobs: [booking.valdate], wrokers: { min: 1 } }
          dead.letters: { jobs: [], workers: { min: 1, start: 1, max: 1 } }
        """
      try Data(text.utf8).write(to: file)
      let process = try await platform.start(["check"], overriding: ["VLUMA_QUEUES_FILE": file.path])
      #expect(try await process.ended() == 78)
      #expect(
        process.output.contains(
          "\(platform.name).yaml:4:30: job kind \"booking.valdate\" has no worker; did you mean \"booking.validate\"?"))
      #expect(process.output.contains("4:48: unknown key \"wrokers\""))
      #expect(process.output.contains("booking.resolve\" has a worker and is in no pool"))
    }
  }

  @Test func `probes and metrics tell what is the case`() async throws {
    try await Platform.with { platform in
      let worker = try await platform.startWorker()
      let address = try await worker.address()
      #expect(try await platform.request("GET", "\(address)/livez").status == 200)
      #expect(try await platform.request("GET", "\(address)/readyz").status == 200)
      let (_, front) = try await platform.startIngest()
      let booking = try #require(try await platform.book(0, at: front)?.booking)
      try await platform.wait(for: "confirmed", of: booking)
      let metrics = String(decoding: try await platform.request("GET", "\(address)/metrics").body, as: UTF8.self)
      let pool = platform.validatePool
      #expect(
        metrics.contains("jobs_processed_total{pool=\"\(pool)\",kind=\"booking.validate\",outcome=\"completed\"} 1"))
      for name in ["queue_jobs_ready", "queue_jobs_unacked", "queue_jobs_delayed", "queue_jobs_dead"] {
        #expect(metrics.contains("\(name){pool=\"\(pool)\"}"))
      }
      #expect(metrics.contains("job_duration_seconds_bucket"))
      #expect(!metrics.contains("Maria") && !metrics.contains("98765"))
      #expect(!worker.output.contains("Maria"))
    }
  }
}
