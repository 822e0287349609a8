import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing

/// What is wrong, what is left over, and how that is moved. One platform at a time: the queue of jobs that lost their
/// pool belongs to all of them.
@Suite(.serialized, .timeLimit(.minutes(3)))
enum OrphanedJobTests {}

extension Platform {
  /// Leaves dead letters that nobody indexed, and then waiting jobs, in the pool of validation; returns the bookings
  /// that wait. Every job must die of its first failure.
  func leave(dead: Int, waiting: Int) async throws -> [UUID] {
    let (_, address) = try await startIngest()
    try await breakCatalog()
    let worker = try await startWorker(pools: [validatePool])
    for index in 0..<dead { _ = try await book(index, at: address) }
    try await wait(for: dead, in: "\(validatePool).dead")
    worker.send(SIGTERM)
    try await worker.ended()
    try await loadCatalog()
    var bookings: [UUID] = []
    for index in dead..<(dead + waiting) {
      bookings.append(try #require(try await book(index, at: address)?.booking))
    }
    try await wait(for: waiting, in: validatePool)
    return bookings
  }

  /// Waits until so many messages of a queue are ready.
  func wait(for count: Int, in queue: String) async throws {
    try await eventually(within: .seconds(20), "\(count) messages are ready in \(queue)") {
      try await self.depth(of: queue) == count
    }
  }
}

extension OrphanedJobTests {
  /// `vluma doctor`.
  struct DoctorTests {
    private struct Report: Decodable {
      struct Line: Decodable {
        let check: String
        let status: String
        let note: String
      }
      struct Finding: Decodable {
        let check: String
        let severity: String
        let message: String
        let advice: String
        let commands: [String]
      }
      let isHealthy: Bool
      let checks: [Line]
      let findings: [Finding]

      /// What is wrong with this platform. Other tests leave jobs without a pool to the broker that all share.
      var own: [Finding] { findings.filter { $0.check != "unroutable" } }

      func status(_ check: String) -> String? { checks.first { $0.check == check }?.status }
      func messages(_ check: String) -> [String] { findings.filter { $0.check == check }.map(\.message) }
    }

    /// Examines the platform; nothing that is said holds personal data or a password.
    private func runDoctor(
      _ platform: Platform, _ arguments: [String] = [], overriding: [String: String] = [:]
    ) async throws -> Report {
      let process = try await platform.start(
        ["doctor", "--json"] + arguments, throughProxy: false, overriding: overriding)
      let status = try await process.ended(within: .seconds(40))
      for secret in ["Maria", "98765", "hunter2"] { #expect(!process.output.contains(secret), "\(process.output)") }
      let report = try JSONDecoder().decode(Report.self, from: Data(process.output.utf8))
      #expect(report.isHealthy == report.findings.isEmpty)
      #expect(status == (report.isHealthy ? 0 : 1), "\(process.output)")
      return report
    }

    @Test func `of a healthy platform there is nothing to complain`() async throws {
      try await Platform.with { platform in
        try await platform.startWorker()
        let report = try await runDoctor(platform)
        #expect(report.own.isEmpty, "\(report.findings)")
        #expect(report.checks.count == 13)
        for line in report.checks where line.check != "unroutable" {
          #expect(line.status == "ok", "\(line)")
        }
        let (_, text) = try await platform.command("doctor")
        let lines = text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("settings       ok") == true, "\(text)")
        for line in lines where !line.hasPrefix("           ") { #expect(line.count <= 80, "\(line)") }
        #expect(!text.contains("\u{1B}"))
      }
    }

    @Test func `a pool that was removed with jobs waiting is named with numbers`() async throws {
      var setup = Platform.Setup()
      setup.maxAttempts = 1
      try await Platform.with(setup) { platform in
        let old = platform.validatePool
        #expect(try await platform.command("scale", old, "5").status == 0)
        _ = try await platform.leave(dead: 2, waiting: 3)
        let file = try platform.queuesFile(renaming: old, to: "\(platform.name).checked")
        let report = try await runDoctor(platform, overriding: ["VLUMA_QUEUES_FILE": file])
        #expect(
          report.messages("removed_pools") == [
            "\(old) is not in queues.yaml, and has left 3 jobs in its queue, 2 dead letters that nobody indexes"
          ])
        let removed = try #require(report.findings.first { $0.check == "removed_pools" })
        #expect(removed.commands == ["vluma move \(old)", "vluma move \(old) --dead"])
        #expect(
          report.messages("pool_settings") == [
            "a setting is left of \(old), which is not in queues.yaml: size 5"
          ])
        #expect(report.messages("nodes") == ["no worker process is alive: jobs wait"])
        let missing = try #require(report.findings.first { $0.check == "rabbitmq" })
        #expect(missing.message.contains("queue \(platform.name).checked"))
        #expect(missing.commands == ["vluma topology apply"])
      }
    }

    @Test func `a pool that the store has never heard of is looked for by name`() async throws {
      try await Platform.with { platform in
        let (_, address) = try await platform.startIngest()
        _ = try await platform.book(0, at: address)
        let old = platform.validatePool
        try await platform.wait(for: 1, in: old)
        let file = try platform.queuesFile(renaming: old, to: "\(platform.name).checked")
        let report = try await runDoctor(platform, ["--pool", old], overriding: ["VLUMA_QUEUES_FILE": file])
        #expect(
          report.messages("removed_pools") == ["\(old) is not in queues.yaml, and has left 1 job in its queue"])
      }
    }

    @Test func `what is stuck in the store is named`() async throws {
      try await Platform.with { platform in
        try await platform.pool.query(
          """
          INSERT INTO jobs.scheduled (job_id, run, due_at, pool, envelope, body)
          SELECT gen_random_uuid(), 1, now() - interval '1 minute', pool, jsonb_build_object('kind', kind), ''::bytea
          FROM (VALUES (\(platform.resolvePool)::text, 'booking.cancel'),
                       (\(platform.resolvePool)::text, 'booking.swap'),
                       (\(platform.validatePool)::text, 'booking.cancel')) AS new (pool, kind)
          """)
        try await platform.pool.query(
          """
          INSERT INTO jobs.outbox (job_id, run, pool, envelope, body, at)
          SELECT gen_random_uuid(), 1, \(platform.sendPool)::text, '{"kind": "whatsapp.send_template"}'::jsonb,
                 ''::bytea, now() - interval '2 minutes' FROM generate_series(1, 3)
          """)
        let report = try await runDoctor(platform)
        #expect(
          report.messages("outbox") == [
            "3 jobs have been in the outbox for more than a minute: 3 for \(platform.sendPool)"
          ])
        #expect(
          report.messages("scheduled") == [
            "3 jobs are overdue by more than 10 s: 2 for \(platform.resolvePool), 1 for \(platform.validatePool)"
          ])
        #expect(
          report.messages("kinds") == [
            "the store holds 1 job of kind booking.swap, which no pool of queues.yaml does",
            "1 job waits for \(platform.validatePool), of kind booking.cancel, which \(platform.resolvePool) does now",
          ])
      }
    }

    @Test func `without Redis there is a warning, and nothing else`() async throws {
      try await Platform.with { platform in
        try await platform.startWorker()
        let report = try await runDoctor(platform, overriding: ["VLUMA_REDIS_URL": "redis://127.0.0.1:1"])
        #expect(report.own.map(\.check) == ["redis"])
        #expect(report.own.map(\.severity) == ["warning"])
        #expect(report.own.first?.message.contains("Redis at 127.0.0.1:1") == true)
      }
    }

    @Test(arguments: [
      ("VLUMA_RABBITMQ_URL", "amqp://guest:hunter2@127.0.0.1:1/", "rabbitmq", "RabbitMQ at 127.0.0.1:1"),
      ("VLUMA_POSTGRES_URL", "postgres://vluma:hunter2@127.0.0.1:1/vluma", "postgresql", "PostgreSQL at 127.0.0.1:1"),
      ("VLUMA_POSTGRES_URL", "mysql://x:hunter2@y/z", "settings", "VLUMA_POSTGRES_URL is malformed"),
      ("VLUMA_LOG_LEVEL", "loud", "settings", "VLUMA_LOG_LEVEL must be one of"),
      ("VLUMA_QUEUES_FILE", "/nowhere.yaml", "settings", "/nowhere.yaml"),
    ])
    func `what is away or wrong hides none of the others`(
      variable: String, value: String, check: String, words: String
    ) async throws {
      try await Platform.with { platform in
        let report = try await runDoctor(platform, overriding: [variable: value])
        let finding = try #require(report.findings.first { $0.check == check }, "\(report.findings)")
        #expect(finding.severity == "problem" && finding.message.contains(words), "\(finding)")
        for server in ["rabbitmq", "postgresql", "redis"] where server != check {
          let isAsked = !(variable == "VLUMA_POSTGRES_URL" && server == "postgresql")
          #expect(report.status(server) == (isAsked ? "ok" : "unknown"), "\(report.checks)")
        }
        // Nobody works here, which is seen wherever the database is.
        if variable != "VLUMA_POSTGRES_URL", variable != "VLUMA_QUEUES_FILE" {
          #expect(report.status("nodes") == "problem")
        }
      }
    }

    @Test func `a database without its tables is to be migrated`() async throws {
      try await Platform.with { platform in
        try await platform.pool.query("DELETE FROM schema_migration WHERE name LIKE 'bookings%'")
        let report = try await runDoctor(platform)
        let finding = try #require(report.findings.first { $0.check == "postgresql" })
        #expect(finding.commands == ["vluma migrate"])
        #expect(report.status("outbox") == "unknown")
        try await platform.pool.query("INSERT INTO schema_migration (name, checksum) VALUES ('zz_9999', 'x')")
        let newer = try await runDoctor(platform)
        #expect(newer.messages("postgresql").contains { $0.contains("zz_9999") })
      }
    }
  }
}
