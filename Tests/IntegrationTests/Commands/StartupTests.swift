import Curl
import Foundation
import Postgres
import RabbitMQ
import TestPlatform
import TestServers
import Testing

/// What processes need at start, and the commands that set it up.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct StartupTests {
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
    ("VLUMA_HTTP_PORT", "eighty", 78, "VLUMA_HTTP_PORT must be a number"),
    ("VLUMA_LOG_LEVEL", "loud", 78, "VLUMA_LOG_LEVEL must be one of"),
    ("VLUMA_QUEUES_FILE", "/nowhere.yaml", 78, "VLUMA_QUEUES_FILE names /nowhere.yaml"),
    ("WHATSAPP_APP_SECRET", "  ", 78, "WHATSAPP_APP_SECRET has only blanks"),
    ("WHATSAPP_APP_SECRET", "hunter2\n", 78, "WHATSAPP_APP_SECRET contains a line break"),
    ("WHATSAPP_VERIFY_TOKEN", "\"hunter2\"", 78, "WHATSAPP_VERIFY_TOKEN is in quotes"),
    ("VLUMA_RABBITMQ_URL", " amqp://x:hunter2@127.0.0.1:1/", 78, "VLUMA_RABBITMQ_URL begins or ends with a blank"),
  ])
  func `an unreachable server or a malformed variable is one clear line and an exit status`(
    variable: String, value: String, code: Int32, line: String
  ) async throws {
    let value = value == "refused" ? try TestEnvironment.rabbitMQ().with(user: "guest", password: "hunter2") : value
    try await Platform.with { platform in
      // Ingest starts without PostgreSQL.
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

  @Test func `a Redis that refuses the login is said once, and everything works without it`() async throws {
    let url = try TestEnvironment.redis().with(user: "anna", password: "hunter2")
    try await Platform.with { platform in
      let process = try await platform.start(["work"], overriding: ["VLUMA_REDIS_URL": url])
      try await eventually(within: .seconds(20), "it says so") {
        process.output.contains("Redis cannot be used; working without it")
      }
      #expect(process.output.contains("refused the login: AUTH"))
      try await eventually(within: .seconds(20), "it works") { process.output.contains("listening") }
      #expect(process.output.components(separatedBy: "Redis cannot be used").count == 2, "\(process.output)")
      #expect(!process.output.contains("hunter2"), "\(process.output)")
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
}
