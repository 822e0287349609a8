import Curl
import Foundation
import Postgres
import RabbitMQ
import TestPlatform
import TestServers
import Testing

/// Queues are emptied by an operator's mistake, with load on: the doctor names what is missing within a minute, one
/// command brings it back, and every booking is decided once.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct PurgeTests {
  private struct Report: Decodable {
    struct Finding: Decodable {
      let check: String
      let message: String
      let commands: [String]
    }
    let findings: [Finding]
    let checks: [Line]
    struct Line: Decodable {
      let check: String
      let status: String
    }
    var missing: [Finding] { findings.filter { $0.check == "missing_jobs" } }
  }

  private func doctor(_ platform: Platform) async throws -> Report {
    let process = try await platform.start(["doctor", "--json"], throughProxy: false)
    _ = try await process.ended(within: .seconds(40))
    return try JSONDecoder().decode(Report.self, from: Data(process.output.utf8))
  }

  private func pools(_ platform: Platform) -> [String] {
    [
      platform.validatePool, platform.resolvePool, platform.sendPool, platform.inboundPool, platform.rollupPool,
    ]
  }

  /// Pauses a pool and waits until no job of it is held by the worker.
  private func pause(_ platform: Platform, _ pool: String) async throws {
    #expect(try await platform.command("pause", pool).status == 0)
    try await eventually("the worker holds no jobs of \(pool)") {
      try await platform.number(
        """
        SELECT count(*) FROM jobs.node, jsonb_each(pools) AS pool WHERE pool.key = \(pool)
          AND ((pool.value ->> 'running')::int > 0 OR (pool.value ->> 'local_concurrency')::int > 0)
        """) == 0
    }
  }

  private func waitForDepth(_ platform: Platform, _ pool: String, _ count: Int) async throws {
    try await eventually(within: .seconds(30), "\(count) jobs are queued in \(pool)") {
      try await platform.depth(of: pool) ?? 0 >= count
    }
  }

  @Test func `every pool's queue is purged under load: each is named within a minute, and one command brings all back`()
    async throws
  {
    var setup = Platform.Setup()
    setup.sandbox = .quick
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      var accepted = Set<UUID>()
      func book(_ slots: Range<Int>) async throws {
        for slot in slots { accepted.insert(try #require(try await platform.book(slot, at: address)?.booking)) }
      }
      // From the end of the way to its beginning, so that each queue has jobs.
      try await pause(platform, platform.sendPool)
      try await book(0..<8)
      try await waitForDepth(platform, platform.sendPool, 8)
      try await pause(platform, platform.rollupPool)
      try await pause(platform, platform.resolvePool)
      try await book(8..<16)
      try await waitForDepth(platform, platform.resolvePool, 8)
      try await waitForDepth(platform, platform.rollupPool, 1)
      try await pause(platform, platform.validatePool)
      try await pause(platform, platform.inboundPool)
      try await book(16..<24)
      for number in 0..<3 {
        let body =
          #"{"entry": [{"changes": [{"field": "messages", "value": {"messages": [{"id": "wamid.\#(number)"}]}}]}]}"#
        #expect(try await platform.webhook(Data(body.utf8), at: address).status == 200)
      }
      try await waitForDepth(platform, platform.inboundPool, 3)
      try await waitForDepth(platform, platform.validatePool, 8)
      try await eventually("the last are recorded") {
        try await platform.number("SELECT count(*) FROM jobs.accepted WHERE pool = \(platform.inboundPool)") == 3
      }

      for pool in pools(platform) {
        let depth = try #require(try await platform.depth(of: pool))
        #expect(try await platform.consume(depth, from: pool).count == depth)
      }
      let purged = ContinuousClock.now
      for pool in pools(platform) { #expect(try await platform.command("resume", pool).status == 0) }
      var report = try await doctor(platform)
      var slot = 24
      while report.missing.count < pools(platform).count, ContinuousClock.now - purged < .seconds(60) {
        try await book(slot..<(slot + 3))
        slot += 3
        try await Task.sleep(for: .seconds(1))
        report = try await doctor(platform)
      }
      #expect(ContinuousClock.now - purged < .seconds(62))
      for pool in pools(platform) {
        let finding = try #require(report.missing.first { $0.message.contains(" of \(pool) ") }, "\(report.missing)")
        #expect(finding.commands.last == "vluma missing enqueue --pool \(pool)")
      }
      print("missing jobs named \(ContinuousClock.now - purged) after the purge")

      let listed = try await platform.command("missing")
      #expect(listed.status == 0)
      for line in listed.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      #expect(!listed.output.contains("wamid") && listed.output.contains("whatsapp.event*"), "\(listed.output)")
      let json = try await platform.command("missing", "--json", "--pool", platform.inboundPool)
      #expect(json.output.contains("wamid.2") && json.output.contains("\"has_body\" : false"), "\(json.output)")

      let enqueued = try await platform.command("missing", "enqueue")
      #expect(enqueued.status == 0)
      #expect(enqueued.output.contains("left 3 jobs of \(platform.inboundPool) without a body"), "\(enqueued.output)")
      // Twice is once.
      #expect(try await platform.command("missing", "enqueue", "--all").status == 0)
      let dismissed = try await platform.command("missing", "dismiss", "--pool", platform.inboundPool)
      #expect(dismissed.output == "dismissed 3 jobs of \(platform.inboundPool)\n")

      try await platform.waitUntilMessagesSettle()
      try await platform.waitUntilIdle(within: .seconds(60))
      let reconciliation = try await BookingReconciliation.count(platform, accepted: accepted)
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
      // Every booking's messages went out, and were counted.
      #expect(
        try await platform.number(
          "SELECT count(*) FROM messaging.message WHERE state NOT IN ('accepted', 'superseded')")
          == 0)
      try await eventually(within: .seconds(20), every: .seconds(1), "nothing is missing any more") {
        try await doctor(platform).checks.first { $0.check == "missing_jobs" }?.status == "ok"
      }
    }
  }

  @Test func `under load, with failures, snoozes and killed workers, nothing is called missing`() async throws {
    var setup = Platform.Setup()
    setup.sandbox = .quick
    setup.rate = "20/s"
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      var worker = try await platform.startWorker()
      try await platform.startWorker()
      let end = ContinuousClock.now + .seconds(75)
      var accepted = Set<UUID>()
      var slot = 0
      while ContinuousClock.now < end {
        for _ in 0..<4 {
          if let booking = try await platform.book(slot, at: address)?.booking { accepted.insert(booking) }
          slot += 1
        }
        if slot.isMultiple(of: 100) {
          worker.send(SIGKILL)
          worker = try await platform.startWorker()
        }
        #expect(
          try await platform.number(
            "SELECT count(*) FROM jobs.gap WHERE looks >= 5 AND since < now() - interval '45 s'") == 0)
        try await Task.sleep(for: .milliseconds(200))
      }
      print("\(accepted.count) bookings accepted under load")
      try await platform.waitUntilMessagesSettle(within: .seconds(120))
      try await platform.waitUntilIdle(within: .seconds(60))
      let reconciliation = try await BookingReconciliation.count(platform, accepted: accepted)
      #expect(reconciliation.isClean, "\(reconciliation)")
    }
  }
}
