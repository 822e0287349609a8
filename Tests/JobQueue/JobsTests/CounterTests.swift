import Foundation
import Jobs
import TestServers
import Testing

/// What is counted, and how it adds up.
struct CounterTests {
  private let minute = Date(timeIntervalSince1970: 1_795_414_320)

  @Test(arguments: [0, 0.001, 1, 29.9, 30, 59, 59.999])
  func `what happened in a minute has one key`(_ seconds: TimeInterval) {
    let key = Counter(tenant: nil, metric: "booking.confirmed", at: minute + seconds)
    #expect(key.minute == minute)
    #expect(key == Counter(tenant: nil, metric: "booking.confirmed", detail: "", at: minute))
    #expect(key.hashValue == Counter(tenant: nil, metric: "booking.confirmed", at: minute).hashValue)
  }

  @Test func `the next minute, and the one before, have keys of their own`() {
    #expect(Counter(tenant: nil, metric: "m", at: minute + 60).minute == minute + 60)
    #expect(Counter(tenant: nil, metric: "m", at: minute - 0.001).minute == minute - 60)
    #expect(Counter(tenant: nil, metric: "m", at: Date(timeIntervalSince1970: 0)).minute.timeIntervalSince1970 == 0)
    let before = Counter(tenant: nil, metric: "m", at: Date(timeIntervalSince1970: -0.5))
    #expect(before.minute.timeIntervalSince1970 == -60)
  }

  @Test func `a minute's first instant is a whole minute, and not after the instant`() {
    var random = SeededRandom(seed: 61)
    for _ in 0..<2_000 {
      let instant = Date(timeIntervalSince1970: .random(in: -4e9...4e9, using: &random))
      let minute = Counter(tenant: nil, metric: "m", at: instant).minute
      #expect(minute.timeIntervalSince1970.truncatingRemainder(dividingBy: 60) == 0)
      #expect(minute <= instant && instant.timeIntervalSince(minute) < 60)
    }
  }

  @Test func `another business, metric or detail is another key`() {
    let (one, other) = (UUID(), UUID())
    let keys = [
      Counter(tenant: one, metric: "m", at: minute), Counter(tenant: other, metric: "m", at: minute),
      Counter(tenant: nil, metric: "m", at: minute), Counter(tenant: one, metric: "n", at: minute),
      Counter(tenant: one, metric: "m", detail: "d", at: minute),
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test func `what is counted twice adds up`() {
    let tenant = UUID()
    var followUps = FollowUps()
    followUps.count("message.received", "text", of: tenant, at: minute)
    followUps.count("message.received", "text", of: tenant, at: minute + 59.9, by: 4)
    followUps.count("message.received", "text", of: tenant, at: minute + 60)
    followUps.count("message.received", "image", of: tenant, at: minute)
    followUps.count("message.received", "text", of: nil, at: minute)
    followUps.count("message.status", of: tenant, at: minute, by: 2)
    let expected = [
      Counter(tenant: tenant, metric: "message.received", detail: "text", at: minute): 5,
      Counter(tenant: tenant, metric: "message.received", detail: "text", at: minute + 60): 1,
      Counter(tenant: tenant, metric: "message.received", detail: "image", at: minute): 1,
      Counter(tenant: nil, metric: "message.received", detail: "text", at: minute): 1,
      Counter(tenant: tenant, metric: "message.status", at: minute): 2,
    ]
    #expect(followUps.counts == expected)
    #expect(followUps.items.isEmpty)
  }

  @Test func `nothing was counted before something is`() {
    #expect(FollowUps().counts.isEmpty)
  }

  @Test func `a job in its envelope follows as it is`() throws {
    var followUps = FollowUps()
    let envelope = try JobCodec.envelope(for: FollowUpJob(to: "Ana"), tenant: UUID(), correlationID: "request-1")
    followUps.enqueue(envelope)
    #expect(followUps.items.map(\.envelope) == [envelope])
    #expect(followUps.items.allSatisfy { $0.dueAt == nil })
    #expect(followUps.counts.isEmpty)
  }
}
