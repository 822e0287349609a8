import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing
import WhatsAppSandbox

/// Processes die while they send, process webhooks, or count; no message is accepted twice, and every count is right.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct MessageCrashTests {
  /// Books while the only process of one pool dies at `failpoint`, and then starts another. A second booking causes the
  /// later webhooks that resolve messages in doubt.
  private func survives(
    _ failpoint: String, in pool: KeyPath<Platform, String>, tries: Int = 2,
    _ check: (Platform) async throws -> Void = { _ in }
  ) async throws {
    var setup = Platform.Setup()
    setup.sandbox = .quick
    setup.inDoubtSeconds = 2
    try await Platform.with(setup) { (platform) async throws in
      let (_, address) = try await platform.startIngest()
      let all = [
        platform.validatePool, platform.resolvePool, platform.sendPool, platform.inboundPool, platform.rollupPool,
      ]
      let victim = try await platform.startWorker(failpoints: "\(failpoint)=kill", pools: [platform[keyPath: pool]])
      try await platform.startWorker(pools: all.filter { $0 != platform[keyPath: pool] } + ["dead.letters"])
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.startWorker(pools: [platform[keyPath: pool]])
      let other = try #require(try await platform.book(1, at: address)?.booking)
      for id in [booking, other] { try await platform.waitForBooking(id, status: "confirmed") }
      try await platform.waitUntilMessagesSettle()
      try await platform.waitUntilIdle()
      let messages = try await MessageReconciliation.count(platform)
      #expect(messages.isClean, "\(messages)")
      #expect(messages.accepted == 2)
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking, other])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      try await check(platform)
    }
  }

  @Test func `the sender dies after its intent, before the call`() async throws {
    try await survives("after-intent", in: \.sendPool) { (platform) async throws in
      #expect(try await platform.number("SELECT max(resend_count)::bigint FROM messaging.message") == 1)
    }
  }

  @Test func `a sender that slept between its intent and the call sends nothing when it wakes`() async throws {
    var setup = Platform.Setup()
    setup.sandbox = .quick
    setup.inDoubtSeconds = 2
    try await Platform.with(setup) { (platform) async throws in
      let (_, address) = try await platform.startIngest()
      let sleeper = try await platform.startWorker(failpoints: "after-intent=stop", pools: [platform.sendPool])
      let others = [platform.validatePool, platform.resolvePool, platform.inboundPool, platform.rollupPool]
      try await platform.startWorker(pools: others + ["dead.letters"])
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      try await eventually(within: .seconds(20), "the message is marked as being sent") {
        try await platform.number("SELECT count(*) FROM messaging.message WHERE state = 'sending'") == 1
      }
      try await platform.startWorker(pools: [platform.sendPool])
      // The broker takes the sleeper's jobs back when its heartbeats are missing.
      try await platform.waitUntilMessagesSettle(within: .seconds(150))
      #expect(try await platform.messages(of: booking) == ["confirmed": "accepted"])
      sleeper.send(SIGCONT)
      try await eventually(within: .seconds(20), "the sleeper has found that it is too late") {
        sleeper.output.contains("too late to send a message")
      }
      try await platform.waitUntilIdle()
      let messages = try await MessageReconciliation.count(platform)
      #expect(messages.isClean, "\(messages)")
      #expect(messages.accepted == 1)
    }
  }

  @Test func `the sender dies before it stores WhatsApp's answer: a status resolves the message`() async throws {
    try await survives("after-send", in: \.sendPool) { (platform) async throws in
      #expect(try await platform.number("SELECT max(resend_count)::bigint FROM messaging.message") == 0)
    }
  }

  @Test(arguments: ["job-fetched", "before-commit", "after-commit", "before-acknowledge"])
  func `the sender dies`(at failpoint: String) async throws { try await survives(failpoint, in: \.sendPool) }

  @Test(arguments: ["job-fetched", "before-commit", "after-commit", "after-outbox-publish", "before-acknowledge"])
  func `the worker of webhooks dies`(at failpoint: String) async throws {
    try await survives(failpoint, in: \.inboundPool)
  }

  @Test(arguments: ["job-fetched", "before-commit", "after-commit", "before-acknowledge"])
  func `the worker of metrics dies`(at failpoint: String) async throws {
    try await survives(failpoint, in: \.rollupPool)
  }

  @Test func `ingest dies between the broker's confirm of a webhook and its answer: the provider sends it again`()
    async throws
  {
    var setup = Platform.Setup()
    setup.sandbox = .quick
    try await Platform.with(setup) { (platform) async throws in
      let sandbox = try #require(platform.sandbox)
      let (ingest, _) = try await platform.startIngest(failpoints: "after-ingest-confirm=kill")
      try await platform.startWorker()
      try await sandbox.press("confirm:\(UUID())", from: "5511987654321", context: nil)
      #expect(try await ingest.ended() == SIGKILL)
      _ = try await platform.startIngest()
      try await eventually("the provider was answered in the end") {
        try await platform.number("SELECT count(*) FROM jobs.receipt WHERE kind = 'whatsapp.event'") >= 2
      }
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM messaging.inbound_message") == 1)
      let messages = try await MessageReconciliation.count(platform)
      #expect(messages.isClean, "\(messages)")
    }
  }
}
