import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing

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

      /// Findings about this platform only: other tests leave jobs without a pool at the shared broker.
      var own: [Finding] { findings.filter { $0.check != "unroutable" } }

      func status(_ check: String) -> String? { checks.first { $0.check == check }?.status }
      func messages(_ check: String) -> [String] { findings.filter { $0.check == check }.map(\.message) }
    }

    /// Runs the doctor on the platform. Its output must not contain personal data or a password.
    private func runDoctor(
      _ platform: Platform, _ arguments: [String] = [], overriding: [String: String] = [:]
    ) async throws -> Report {
      let process = try await platform.start(
        ["doctor", "--json"] + arguments, throughProxy: false, overriding: overriding)
      let status = try await process.ended(within: .seconds(40))
      for secret in ["Maria", "98765", "hunter2"] { #expect(!process.output.contains(secret), "\(process.output)") }
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let report = try decoder.decode(Report.self, from: Data(process.output.utf8))
      #expect(process.output.contains("\"is_healthy\""))
      #expect(report.isHealthy == report.findings.isEmpty)
      #expect(status == (report.isHealthy ? 0 : 1), "\(process.output)")
      return report
    }

    @Test func `a healthy platform has no findings`() async throws {
      try await Platform.with { platform in
        try await platform.startWorker()
        try await eventually("the worker has compared what was accepted with what exists") {
          try await platform.number("SELECT count(*) FROM jobs.gap_sweep WHERE checked_at IS NOT NULL") == 1
        }
        let report = try await runDoctor(platform)
        #expect(report.own.isEmpty, "\(report.findings)")
        #expect(report.checks.count == 15)
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

    @Test func `a removed pool with queued jobs is named with numbers`() async throws {
      var setup = Platform.Setup()
      setup.maxAttempts = 1
      try await Platform.with(setup) { platform in
        let old = platform.validatePool
        #expect(try await platform.command("scale", old, "5").status == 0)
        _ = try await platform.leaveJobs(dead: 2, queued: 3)
        let file = try platform.queuesFile(renaming: old, to: "\(platform.name).checked")
        let report = try await runDoctor(platform, overriding: ["VLUMA_QUEUES_FILE": file])
        #expect(
          report.messages("removed_pools") == [
            "\(old) is not in queues.yaml, and has left 3 jobs in its queue, 2 dead letters not indexed"
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

    @Test func `a pool unknown to PostgreSQL is checked by name`() async throws {
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

    @Test func `an ingest process with few descriptors is named with its places for clients, and is no worker`()
      async throws
    {
      try await Platform.with { platform in
        let (ingest, _) = try await platform.startIngest(shell: "ulimit -n 1024")
        let listed: PostgresQuery =
          "SELECT count(*) FROM jobs.node WHERE pools = '{}' AND resources ->> 'descriptors_max' = '1024'"
        try await eventually("it is listed") { try await platform.number(listed) == 1 }
        let report = try await runDoctor(platform)
        #expect(report.status("descriptors") == "warning")
        let message = try #require(report.messages("descriptors").first)
        let words = /may have 1024 files and connections open, which leaves places for ([0-9]+) clients/
        let clients = try #require(message.firstMatch(of: words).flatMap { Int($0.1) }, "\(message)")
        #expect((64..<1_024).contains(clients))
        #expect(report.messages("nodes") == ["no worker process is alive: jobs wait"])
        #expect(try await platform.command("queues").output.contains("nodes 0"))
        ingest.send(SIGTERM)
        #expect(try await ingest.ended() == 0)
        #expect(try await platform.number("SELECT count(*) FROM jobs.node") == 0)
      }
    }

    @Test func `jobs stuck in PostgreSQL are named`() async throws {
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

    @Test func `an unreachable Redis is a warning, and nothing else`() async throws {
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
    func `an unreachable or wrongly configured server hides none of the others`(
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
        // No worker runs here, which is found wherever the database can be read.
        if variable != "VLUMA_POSTGRES_URL", variable != "VLUMA_QUEUES_FILE" {
          #expect(report.status("nodes") == "problem")
        }
      }
    }

    @Test func `a database with pending migrations is to be migrated`() async throws {
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
