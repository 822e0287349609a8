import Foundation
import Testing
import WhatsApp

/// Keys by which the same event is known when it comes again.
struct EventKeyTests {
  private let value = #"{"event":"PAUSED","message_template_name":"n","message_template_language":"pt_BR"}"#

  private func keys(_ body: Data) throws -> [String] {
    try WebhookParser.updates(in: body).map { update in try #require(update.asEvent).key }
  }

  private func key(
    _ value: String, field: String = "message_template_status_update", account: String = "1", time: Int? = 1_751_247_548
  ) throws -> String {
    let found = try keys(webhook(value, field: field, account: account, time: time))
    try #require(found.count == 1)
    return found[0]
  }

  @Test(arguments: Sample.events.filter { $0.updates.count == 1 }.map(\.file))
  func `the same event has the same key when it comes again`(_ file: String) throws {
    let body = try Payload.data(file)
    let first = try #require(try keys(body).first)
    #expect(try keys(body) == [first])
    #expect(first.wholeMatch(of: /[0-9a-f]{64}/) != nil)
  }

  @Test func `every event has a key of its own`() throws {
    let files = Sample.events.filter { $0.updates.count == 1 }.map(\.file)
    let found = try files.flatMap { try keys(Payload.data($0)) }
    #expect(Set(found).count == files.count)
  }

  @Test func `the order of a value's fields is no part of what it says`() throws {
    let other = #"{ "message_template_language":"pt_BR", "message_template_name":"n", "event":"PAUSED" }"#
    #expect(try key(value) == key(other))
    #expect(try key(value) == key(value.replacingOccurrences(of: "PAUSED", with: #"P\u0041USED"#)))
  }

  @Test func `the same thing at another time is another event`() throws {
    let times: [Int?] = [1_751_247_548, 1_751_247_549, 1_751_257_548, nil]
    let found = try times.map { try key(value, time: $0) }
    #expect(Set(found).count == times.count)
  }

  @Test func `the same thing of another account, field or value is another event`() throws {
    let found = [
      try key(value), try key(value, account: "2"), try key(value, field: "message_template_quality_update"),
      try key(value.replacingOccurrences(of: "PAUSED", with: "DISABLED")),
    ]
    #expect(Set(found).count == found.count)
  }

  @Test func `the same error of two numbers of an account is two events`() throws {
    let errors = #""errors":[{"code":130429,"title":"Rate limit hit"}]"#
    let found = try ["1", "2"].map { number in
      try key(#"{"metadata":{"phone_number_id":"\#(number)"},\#(errors)}"#, field: "messages", time: nil)
    }
    #expect(found[0] != found[1])
  }

  @Test func `an unknown item, of two numbers of an account, is two events`() throws {
    let found = try ["1", "2"].map { number in
      try key(
        #"{"metadata":{"phone_number_id":"\#(number)"},"statuses":[{"status":"new"}]}"#, field: "messages", time: nil)
    }
    #expect(found[0] != found[1])
  }

  @Test func `bytes that are no JSON have a key too`() throws {
    #expect(try keys(Data("{".utf8)) == keys(Data("{".utf8)))
    #expect(try keys(Data("{".utf8)) != keys(Data("[".utf8)))
  }
}
