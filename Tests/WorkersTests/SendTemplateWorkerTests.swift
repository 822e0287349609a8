import Foundation
import Jobs
import Messaging
import Postgres
import TestServers
import Testing
import WhatsApp
import Workers

/// The transaction before the call: in doubt, or too long ago.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct SendTemplateWorkerTests {
  @Test func `a mark whose commit was in doubt is the same attempt's, which sends at once`() async throws {
    try await MessageFixture.with { (fixture) async throws in
      let transactions = TransactionsInDoubt(pool: fixture.pool, lostAnswers: 1)
      #expect(try await fixture.work(transactions) == .completed)
      #expect(fixture.sender.sent == 1)
      #expect(try await fixture.message() == .init(state: "accepted", sends: 1, resends: 0))
    }
  }

  @Test func `a mark whose commit stayed in doubt is taken back by the next attempt of the process`() async throws {
    try await MessageFixture.with { (fixture) async throws in
      await #expect(throws: JobStoreLost.self) {
        try await fixture.work(TransactionsInDoubt(pool: fixture.pool, lostAnswers: 1, retries: false))
      }
      #expect(try await fixture.message() == .init(state: "sending", sends: 1, resends: 0))
      #expect(fixture.sender.sent == 0)
      // Even where others have taken it for in doubt meanwhile.
      try await fixture.pool.query("UPDATE messaging.message SET state = 'in_doubt'")
      #expect(try await fixture.work(TransactionsInDoubt(pool: fixture.pool)) == .completed)
      #expect(fixture.sender.sent == 1)
      #expect(try await fixture.message() == .init(state: "accepted", sends: 1, resends: 0))
    }
  }

  @Test func `another process's mark is left alone`() async throws {
    try await MessageFixture.with { (fixture) async throws in
      await #expect(throws: JobStoreLost.self) {
        try await fixture.work(TransactionsInDoubt(pool: fixture.pool, lostAnswers: 1, retries: false))
      }
      let other = fixture.inAnotherProcess()
      guard case .snoozed = try await other.work(TransactionsInDoubt(pool: fixture.pool)) else {
        Issue.record("the other process did not wait")
        return
      }
      #expect(other.sender.sent == 0)
      #expect(try await fixture.message().state == "sending")
    }
  }

  @Test func `a process that slept between its mark and the call gives the message back`() async throws {
    try await MessageFixture.with { (fixture) async throws in
      fixture.sleepsAfterMark.change { $0 = .seconds(6) }
      guard case .snoozed = try await fixture.work(TransactionsInDoubt(pool: fixture.pool)) else {
        Issue.record("the message was sent too late")
        return
      }
      #expect(fixture.sender.sent == 0)
      #expect(try await fixture.message() == .init(state: "prepared", sends: 0, resends: 0))
      fixture.sleepsAfterMark.change { $0 = .zero }
      #expect(try await fixture.work(TransactionsInDoubt(pool: fixture.pool)) == .completed)
      #expect(fixture.sender.sent == 1)
    }
  }

  @Test func `a process that slept while others sent the message changes nothing`() async throws {
    try await MessageFixture.with { (fixture) async throws in
      fixture.sleepsAfterMark.change { $0 = .seconds(60) }
      let other = fixture.inAnotherProcess()
      fixture.afterMark.change { body in
        body = {
          // What others do meanwhile: in doubt, prepared again, sent.
          try await fixture.pool.query("UPDATE messaging.message SET state = 'prepared', attempt_id = NULL")
          _ = try await other.work(TransactionsInDoubt(pool: fixture.pool))
        }
      }
      _ = try await fixture.work(TransactionsInDoubt(pool: fixture.pool))
      #expect(fixture.sender.sent == 0)
      #expect(other.sender.sent == 1)
      #expect(try await fixture.message().state == "accepted")
    }
  }
}
