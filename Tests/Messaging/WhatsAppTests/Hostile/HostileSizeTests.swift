import Foundation
import Testing

@testable import WhatsApp

/// Webhooks with far more in them than the provider sends.
struct HostileSizeTests {
  private static func body(messages: Int, contacts: Int) -> Data {
    let contactList = (0..<contacts).map {
      #"{"wa_id":"55119\#($0)","profile":{"name":"N\#($0)"},"user_id":"BR.\#($0)"}"#
    }
    let messageList = (0..<messages).map {
      #"{"id":"wamid.\#($0)","from":"55119\#(contacts - 1 - $0 % contacts)","type":"text"}"#
    }
    return Data(
      #"{"entry":[{"id":"1","changes":[{"field":"messages","value":{"contacts":[\#(contactList.joined(separator: ","))],"messages":[\#(messageList.joined(separator: ","))]}}]}]}"#
        .utf8)
  }

  @Test func `contacts are found in a time that grows with their number, not with its square`() {
    let clock = ContinuousClock()
    func time(_ count: Int) -> Duration {
      clock.measure { #expect(WebhookParser.updates(in: Self.body(messages: count, contacts: count)).count == count) }
    }
    _ = time(100)
    let (small, large) = (time(1_000), time(8_000))
    // Eight times as much; quadratic it would be 64 times.
    #expect(large < small * 30, "\(small), \(large)")
  }

  @Test func `large bodies give the same updates on a thread of their own`() async {
    let bodies = [Self.body(messages: 3, contacts: 2), Self.body(messages: 2_000, contacts: 50), Data("x".utf8)]
    #expect(bodies.reduce(0) { $0 + $1.count } > 64 << 10)
    #expect(await WebhookParser.updates(inAll: bodies) == bodies.map { WebhookParser.updates(in: $0) })
  }

  @Test func `the first of several contacts counts, by number or by user id`() {
    let body = Data(
      #"""
      {"entry":[{"changes":[{"field":"messages","value":{
        "contacts":[{"wa_id":"1","profile":{"name":"A"}},{"wa_id":"1","profile":{"name":"B"}},{"user_id":"U","profile":{"name":"C"}}],
        "messages":[{"id":"m1","from":"1"},{"id":"m2","from_user_id":"U"},{"id":"m3","from":"2","from_user_id":"U"}]}}]}]}
      """#.utf8)
    let names = WebhookParser.updates(in: body).map { update -> String? in
      if case .message(let message) = update { message.profileName } else { nil }
    }
    #expect(names == ["A", "C", nil])
  }
}
