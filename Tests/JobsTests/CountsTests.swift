import Foundation
import Jobs
import TestServers
import Testing

/// What is counted, and how it adds up.
struct CountsTests {
  private let minute = Date(timeIntervalSince1970: 1_795_414_320)

  @Test(arguments: [0, 0.001, 1, 29.9, 30, 59, 59.999])
  func `what happened in a minute has one key`(_ seconds: TimeInterval) {
    let key = CountKey(tenant: nil, measure: "booking.confirmed", at: minute + seconds)
    #expect(key.minute == minute)
    #expect(key == CountKey(tenant: nil, measure: "booking.confirmed", detail: "", at: minute))
    #expect(key.hashValue == CountKey(tenant: nil, measure: "booking.confirmed", at: minute).hashValue)
  }

  @Test func `the next minute, and the one before, have keys of their own`() {
    #expect(CountKey(tenant: nil, measure: "m", at: minute + 60).minute == minute + 60)
    #expect(CountKey(tenant: nil, measure: "m", at: minute - 0.001).minute == minute - 60)
    #expect(CountKey(tenant: nil, measure: "m", at: Date(timeIntervalSince1970: 0)).minute.timeIntervalSince1970 == 0)
    let before = CountKey(tenant: nil, measure: "m", at: Date(timeIntervalSince1970: -0.5))
    #expect(before.minute.timeIntervalSince1970 == -60)
  }

  @Test func `a minute's first instant is a whole minute, and not after the instant`() {
    var random = SeededRandom(seed: 61)
    for _ in 0..<2_000 {
      let instant = Date(timeIntervalSince1970: .random(in: -4e9...4e9, using: &random))
      let minute = CountKey(tenant: nil, measure: "m", at: instant).minute
      #expect(minute.timeIntervalSince1970.truncatingRemainder(dividingBy: 60) == 0)
      #expect(minute <= instant && instant.timeIntervalSince(minute) < 60)
    }
  }

  @Test func `another business, measure or detail is another key`() {
    let (one, other) = (UUID(), UUID())
    let keys = [
      CountKey(tenant: one, measure: "m", at: minute), CountKey(tenant: other, measure: "m", at: minute),
      CountKey(tenant: nil, measure: "m", at: minute), CountKey(tenant: one, measure: "n", at: minute),
      CountKey(tenant: one, measure: "m", detail: "d", at: minute),
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
      CountKey(tenant: tenant, measure: "message.received", detail: "text", at: minute): 5,
      CountKey(tenant: tenant, measure: "message.received", detail: "text", at: minute + 60): 1,
      CountKey(tenant: tenant, measure: "message.received", detail: "image", at: minute): 1,
      CountKey(tenant: nil, measure: "message.received", detail: "text", at: minute): 1,
      CountKey(tenant: tenant, measure: "message.status", at: minute): 2,
    ]
    #expect(followUps.counts == expected)
    #expect(followUps.items.isEmpty)
  }

  @Test func `nothing was counted before something is`() {
    #expect(FollowUps().counts.isEmpty)
  }

  @Test func `a job in its envelope follows as it is`() throws {
    var followUps = FollowUps()
    let envelope = try JobCodec.envelope(for: Letter(to: "Ana"), tenant: UUID(), correlationID: "request-1")
    followUps.enqueue(envelope)
    #expect(followUps.items.map(\.envelope) == [envelope])
    #expect(followUps.items.allSatisfy { $0.dueAt == nil })
    #expect(followUps.counts.isEmpty)
  }
}
