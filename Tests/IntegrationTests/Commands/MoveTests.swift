import Foundation
import Glibc
import Postgres
import RabbitMQ
import TestPlatform
import TestServers
import Testing

extension OrphanedJobTests {
  /// `vluma move`.
  struct MoveTests {
    /// Runs `body` with a platform one of whose pools was renamed, and with its new queues.
    private func withRenamedPool(
      _ setup: Platform.Setup = .init(),
      _ body: (Platform, _ new: String, _ file: [String: String]) async throws -> Void
    ) async throws {
      try await Platform.with(setup) { platform in
        let new = "\(platform.name).checked"
        let file = ["VLUMA_QUEUES_FILE": try platform.queuesFile(renaming: platform.validatePool, to: new)]
        do {
          let applied = try await platform.start(["topology", "apply"], overriding: file)
          #expect(try await applied.ended() == 0, "\(applied.output)")
          try await body(platform, new, file)
        } catch {
          try? await platform.delete(queues: [new, "\(new).dead"])
          throw error
        }
        try await platform.delete(queues: [new, "\(new).dead"])
      }
    }

    private func move(
      _ platform: Platform, _ arguments: [String], _ file: [String: String]
    ) async throws -> (status: Int32, output: String) {
      let process = try await platform.start(["move"] + arguments, throughProxy: false, overriding: file)
      return (try await process.ended(within: .seconds(60)), process.output)
    }

    /// A job's message with everything that such messages have, and something that later ones may have.
    private func message(
      _ key: String, id: UUID = UUID(), kind: String = "booking.validate", to exchange: String = "vluma.jobs"
    ) -> RabbitMQMessage {
      var properties = RabbitMQProperties()
      properties.messageID = id.uuidString.lowercased()
      properties.type = kind
      properties.contentType = "application/json"
      properties.correlationID = "request 7"
      properties.timestamp = 1_790_000_000
      properties.headers = [
        "vluma-run": .integer(2), "vluma-attempt": .integer(3), "vluma-schema-version": .integer(1),
        "vluma-enqueued-at": .integer(1_790_000_000_250), "vluma-deadline": .integer(4_000_000_000_750),
        "vluma-tenant": .string("01990f2c-0000-4000-8000-00000000000a"),
        "traceparent": .string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        "vluma-of-tomorrow": .string("kept"), "vluma-flag-of-tomorrow": .bool(true),
      ]
      return RabbitMQMessage(
        exchange: exchange, routingKey: key, properties: properties, body: Data([0, 255]) + Data(#"{"a":"é"}"#.utf8))
    }

    @Test func `jobs and dead letters of a renamed pool are moved, and done`() async throws {
      var setup = Platform.Setup()
      setup.maxAttempts = 1
      try await withRenamedPool(setup) { platform, new, file in
        let old = platform.validatePool
        let bookings = try await platform.leaveJobs(dead: 2, queued: 3)
        let jobs = try await move(platform, [old], file)
        #expect(jobs.status == 0 && jobs.output.contains("moved 3 jobs to \(new)\n"), "\(jobs.output)")
        let letters = try await move(platform, [old, new, "--dead"], file)
        #expect(letters.status == 0 && letters.output.contains("moved 2 dead letters to \(new)\n"), "\(letters.output)")
        let again = try await move(platform, [old], file)
        #expect(again.status == 0 && again.output.contains("There was nothing to move."), "\(again.output)")
        try await platform.start(["work"], overriding: file)
        for booking in bookings { try await platform.waitForBooking(booking, status: "confirmed") }
        try await eventually(within: .seconds(20), "the letters are indexed") {
          try await platform.number(
            "SELECT count(*) FROM jobs.dead_letter WHERE state = 'open' AND pool = \(new)") == 2
        }
        let audit = try await platform.pool.query(
          "SELECT before, after FROM jobs.audit WHERE action = 'pool.move' AND target = \(old) ORDER BY at")
        #expect(
          try audit.map { try $0.decode(0, as: String.self) } == ["3 jobs of \(old)", "2 dead letters of \(old).dead"])
        #expect(try audit.allSatisfy { try $0.decode(1, as: String.self) == new })
      }
    }

    @Test func `a moved job is the same in every property`() async throws {
      try await withRenamedPool { platform, new, file in
        let sent = message(platform.validatePool)
        try await platform.publish([sent])
        #expect(try await move(platform, [platform.validatePool, new], file).status == 0)
        let arrived = try await platform.consume(1, from: new)
        try #require(arrived.count == 1)
        #expect(arrived[0].properties == sent.properties)
        #expect(arrived[0].body == sent.body)
        #expect(arrived[0].routingKey == new)
        #expect(!arrived[0].redelivered)
        try await platform.wait(for: 0, in: platform.validatePool)
      }
    }

    @Test func `jobs whose pool was removed during a retry go to the pool of their kind`() async throws {
      try await Platform.with { platform in
        let id = UUID()
        let sent = message("\(platform.name).gone", id: id, kind: "booking.resolve", to: "vluma.return")
        try await platform.publish([sent])
        // Other tests leave jobs there too, some of kinds that no pool runs.
        let (_, output) = try await move(platform, ["vluma.unroutable"], [:])
        #expect(output.contains("to \(platform.resolvePool)\n"), "\(output)")
        let arrived = try await platform.consume(1, from: platform.resolvePool)
        let own = arrived.filter { $0.properties.messageID == id.uuidString.lowercased() }
        try #require(own.count == 1)
        #expect(own[0].properties == sent.properties && own[0].body == sent.body)
      }
    }

    @Test func `jobs of a kind that no pool runs stay where they are and are reported`() async throws {
      try await withRenamedPool { platform, new, file in
        let old = platform.validatePool
        try await platform.publish([message(old, kind: "booking.swap"), message(old), message(old)])
        let (status, output) = try await move(platform, [old], file)
        #expect(status == 1)
        #expect(output.contains("moved 2 jobs to \(new)\n"), "\(output)")
        #expect(output.contains("left 1 job of kind booking.swap, which no pool of queues.yaml does\n"), "\(output)")
        try await platform.wait(for: 1, in: old)
        try await platform.wait(for: 2, in: new)
      }
    }

    @Test func `no more than the limit is moved`() async throws {
      try await withRenamedPool { platform, new, file in
        let old = platform.validatePool
        try await platform.publish((0..<5).map { _ in message(old) })
        let (status, output) = try await move(platform, [old, "--limit", "2"], file)
        #expect(status == 0 && output.contains("moved 2 jobs to \(new)\n"), "\(output)")
        try await platform.wait(for: 3, in: old)
        try await platform.wait(for: 2, in: new)
      }
    }

    @Test func `without the new queue nothing is moved or lost`() async throws {
      try await withRenamedPool { platform, new, file in
        let old = platform.validatePool
        try await platform.publish([message(old)])
        try await platform.delete(queues: [new])
        let (status, output) = try await move(platform, [old], file)
        #expect(status == 1 && output.contains("run vluma topology apply"), "\(output)")
        try await platform.wait(for: 1, in: old)
        let applied = try await platform.start(["topology", "apply"], overriding: file)
        #expect(try await applied.ended() == 0)
        #expect(try await move(platform, [old], file).status == 0)
        try await platform.wait(for: 1, in: new)
      }
    }

    @Test func `a move that is killed loses nothing`() async throws {
      try await withRenamedPool { platform, new, file in
        let old = platform.validatePool
        let ids = (0..<1_500).map { _ in UUID() }
        try await platform.publish(ids.map { message(old, id: $0) })
        let process = try await platform.start(["move", old], throughProxy: false, overriding: file)
        try await eventually(within: .seconds(20), "some are moved") {
          try await platform.depth(of: new) ?? 0 > 0 || !process.isRunning
        }
        process.send(SIGKILL)
        try await process.ended()
        // The broker requeues what was prefetched when it sees that the connection is gone.
        try await eventually(within: .seconds(20), "all are in one queue or the other") {
          let (left, moved) = (try await platform.depth(of: old) ?? 0, try await platform.depth(of: new) ?? 0)
          return left + moved >= ids.count
        }
        #expect(try await move(platform, [old], file).status == 0)
        try await platform.wait(for: 0, in: old)
        // Some may have been moved twice.
        let arrived = try await platform.consume(try await platform.depth(of: new) ?? 0, from: new)
        #expect(Set(arrived.compactMap(\.properties.messageID)) == Set(ids.map { $0.uuidString.lowercased() }))
      }
    }

    @Test func `jobs in PostgreSQL of a removed pool are moved as well`() async throws {
      try await withRenamedPool { platform, new, file in
        let old = platform.validatePool
        try await platform.pool.query(
          """
          INSERT INTO jobs.scheduled (job_id, run, due_at, pool, envelope, body)
          SELECT gen_random_uuid(), 1, now() + interval '1 hour', \(old)::text,
                 '{"kind": "booking.validate"}'::jsonb, ''::bytea FROM generate_series(1, 4)
          """)
        let (status, output) = try await move(platform, [old], file)
        #expect(status == 0 && output.contains("moved 4 jobs to \(new)\n"), "\(output)")
        #expect(try await platform.number("SELECT count(*) FROM jobs.scheduled WHERE pool = \(new)") == 4)
      }
    }

    @Test func `a pool that is in use keeps its queue, and invalid arguments are wrong usage`() async throws {
      try await Platform.with { platform in
        let pool = platform.resolvePool
        try await platform.publish([message(pool, kind: "booking.resolve")])
        let (status, output) = try await move(platform, [pool], [:])
        #expect(status == 0 && output.contains("its queue is left to its workers"), "\(output)")
        try await platform.wait(for: 1, in: pool)
        for arguments in [
          [], [pool, pool], [pool, "nowhere"], ["\(pool).dead"], ["vluma.retry.1s"], ["vluma.unroutable", "--dead"],
          ["old", "--limit", "0"],
        ] {
          #expect(try await move(platform, arguments, [:]).status == 2, "\(arguments)")
        }
      }
    }
  }
}
