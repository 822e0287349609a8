import Foundation
import Glibc
import Postgres
import RabbitMQ
import TestPlatform
import TestServers
import Testing

import struct Logging.Logger

/// The rows of the crash table about dead letters and their retries.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DeadLetterCrashTests {
  private var oneAttempt: Platform.Setup {
    var setup = Platform.Setup()
    setup.maxAttempts = 1
    return setup
  }

  private func open(_ platform: Platform) async throws -> Int {
    try await platform.number("SELECT count(*) FROM jobs.dead_letter WHERE state = 'open'")
  }

  /// A booking whose job is dead and indexed, with the catalog repaired afterwards.
  private func deadBooking(_ platform: Platform, _ address: String) async throws -> UUID {
    try await platform.breakCatalog()
    let booking = try #require(try await platform.book(0, at: address)?.booking)
    try await eventually(within: .seconds(15), "the dead letter is indexed") { try await open(platform) == 1 }
    try await platform.loadCatalog()
    return booking
  }

  @Test func `dead letter published, original not acknowledged, letter indexed first: the late copy stops`()
    async throws
  {
    try await Platform.with(oneAttempt) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.breakCatalog()
      let victim = try await platform.startWorker(
        failpoints: "after-dead-letter-publish=kill", pools: [platform.validatePool])
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.startWorker(pools: ["dead.letters"])
      try await eventually(within: .seconds(15), "the letter is indexed") { try await open(platform) == 1 }
      try await platform.loadCatalog()  // the late copy could succeed now, and must not run
      try await platform.startWorker()
      try await platform.waitUntilIdle()
      #expect(try await platform.status(of: booking) == nil)
      #expect(try await open(platform) == 1)
      #expect(try await platform.number("SELECT count(*) FROM jobs.receipt") == 1)
    }
  }

  @Test func `dead letter published, yet the original succeeds: the letter is dropped`() async throws {
    try await Platform.with(oneAttempt) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.breakCatalog()
      let victim = try await platform.startWorker(
        failpoints: "after-dead-letter-publish=kill", pools: [platform.validatePool])
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.loadCatalog()
      try await platform.startWorker(pools: [platform.validatePool, platform.resolvePool, platform.rollupPool])
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.startWorker(pools: ["dead.letters"])
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  @Test func `dead letter indexed twice`() async throws {
    try await Platform.with(oneAttempt) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.breakCatalog()
      let victim = try await platform.startWorker(failpoints: "after-dead-letter-indexed=kill")
      _ = try #require(try await platform.book(0, at: address)?.booking)
      #expect(try await victim.ended() == SIGKILL)
      #expect(try await open(platform) == 1)
      try await platform.startWorker()
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 1)
    }
  }

  @Test func `PostgreSQL is down while jobs die: their dead letters stay in the broker`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.postgresProxy = proxy
    try await Platform.with(setup) { platform in
      try await platform.startWorker()
      proxy.refuseNew()
      proxy.cutAll()
      // Messages that become dead letters at once: no job can be read from them.
      let publisher = RabbitMQPublisher(
        try RabbitMQConfiguration(url: try TestEnvironment.rabbitMQ().string), name: "test",
        logger: Logger(label: "test"))
      let running = Task { await publisher.run() }
      let garbage = (0..<5).map { index in
        RabbitMQMessage(
          exchange: "vluma.jobs", routingKey: platform.validatePool, properties: .init(),
          body: Data("no job \(index)".utf8))
      }
      let outcomes = await publisher.publish(garbage, deadline: .now + .seconds(10))
      running.cancel()
      #expect(outcomes.allSatisfy { $0 == .confirmed })
      try await eventually(within: .seconds(15), "the letters cannot be indexed") {
        platform.outputs.contains { $0.contains("dead letters cannot be indexed") }
      }
      proxy.acceptNew()
      try await eventually(within: .seconds(20), "the letters are indexed") { try await open(platform) == 5 }
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter WHERE reason = 'unreadable'") == 5)
    }
  }

  @Test func `operators retry: once, as the next run, however many do it at the same time`() async throws {
    try await Platform.with(oneAttempt) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let booking = try await deadBooking(platform, address)
      try await withThrowingTaskGroup(of: Int32.self) { group in
        for _ in 0..<5 { group.addTask { try await platform.command("dead", "retry", "--all").status } }
        var successes = 0
        for try await status in group where status == 0 { successes += 1 }
        #expect(successes == 1)
      }
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT max(run) FROM jobs.receipt WHERE kind = 'booking.validate'") == 2)
      #expect(try await platform.number("SELECT count(*) FROM jobs.audit WHERE action = 'dead.retry'") == 1)
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
      // Completed in its second run: a retry of the first run is now refused.
      try await platform.pool.query("UPDATE jobs.dead_letter SET state = 'open'")
      #expect(try await platform.command("dead", "retry", "--all").status == 1)
    }
  }

  @Test func `the relay publishes a retried job and dies before it deletes the row`() async throws {
    try await Platform.with(oneAttempt) { platform in
      let (_, address) = try await platform.startIngest()
      let first = try await platform.startWorker()
      let booking = try await deadBooking(platform, address)
      first.send(SIGTERM)
      try await first.ended()
      let victim = try await platform.startWorker(failpoints: "after-relay-publish=kill", pools: ["dead.letters"])
      #expect(try await platform.command("dead", "retry", "--all").status == 0)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  @Test func `scheduled jobs run once, with two nodes polling for them`() async throws {
    var setup = Platform.Setup()
    setup.tiers = "[1s]"
    setup.backoff = "{ base: 2s, factor: 1, max: 2s, jitter: none }"
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.breakCatalog()
      try await platform.startWorker()
      try await platform.startWorker()
      var bookings = Set<UUID>()
      for index in 0..<20 { bookings.insert(try #require(try await platform.book(index, at: address)?.booking)) }
      try await eventually(within: .seconds(15), "all are scheduled") {
        try await platform.number("SELECT count(*) FROM jobs.scheduled") == 20
      }
      try await platform.loadCatalog()
      for booking in bookings { try await platform.waitForBooking(booking, status: "confirmed") }
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: bookings)
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }
}
