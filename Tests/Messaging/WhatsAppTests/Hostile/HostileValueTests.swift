import Foundation
import Testing
import WhatsApp

/// Ids, instants and numbers that are larger, or other, than any that make sense.
struct HostileValueTests {
  private func message(_ fields: String) throws -> InboundMessage? {
    try onlyUpdate(#"{"messages":[{\#(fields)}]}"#).asMessage
  }

  private func status(_ fields: String) throws -> StatusReport? {
    try onlyUpdate(#"{"statuses":[{"id":"wamid.1","status":"failed",\#(fields)}]}"#).asStatus
  }

  @Test func `a long id is kept, and one that no index takes makes an event`() throws {
    let long = String(repeating: "x", count: 400)
    #expect(try message(#""id":"\#(long)""#)?.wamid == long)
    let huge = String(repeating: "x", count: 10_000)
    let update = try onlyUpdate(#"{"messages":[{"id":"\#(huge)"}]}"#)
    let isKept = update.asEvent != nil && update.raw.contains(huge)
    #expect(isKept)
  }

  @Test func `no id in an update is longer than an index takes`() throws {
    let huge = String(repeating: "ü", count: 5_000)
    let message = try #require(
      try message(
        #""id":"wamid.1","from":"\#(huge)","from_user_id":"\#(huge)","type":"\#(huge)","context":{"id":"\#(huge)"}"#))
    let ids = [message.from, message.userID, message.contextID, message.type]
    #expect(ids.allSatisfy { ($0?.utf8.count ?? 0) <= 1_000 })
    let report = try #require(
      try status(#""recipient_id":"\#(huge)","biz_opaque_callback_data":"\#(huge)""#))
    #expect(report.recipient.utf8.count <= 1_000 && (report.callback?.utf8.count ?? 0) <= 1_000)
    for update in WebhookParser.updates(in: webhook("{}", field: huge, account: huge)) {
      let event = try #require(update.asEvent)
      #expect(event.field.utf8.count <= 1_000 && (event.origin.account?.utf8.count ?? 0) <= 1_000)
    }
  }

  @Test(arguments: [
    #""99999999999999999999""#, #""1795414356000""#, "1e308", "-1e308", "-1", "0", "18446744073709551616", "\"\"",
    #""soon""#, #""nan""#, #""inf""#, #""-inf""#, "null", "true", "[]", "{}", #""2026-11-24""#, #""1795414356 ""#,
    "123456789012345678901234567890.5",
  ])
  func `what is no sensible time is no time`(_ timestamp: String) throws {
    #expect(try message(#""id":"wamid.1","timestamp":\#(timestamp)"#)?.at == nil)
    let report = try status(#""timestamp":\#(timestamp)"#)
    #expect(report != nil && report?.at == nil)
  }

  @Test(arguments: [#""1795414356""#, "1795414356", "1795414356.0"])
  func `a time may be a text or a number`(_ timestamp: String) throws {
    let at = Date(timeIntervalSince1970: 1_795_414_356)
    #expect(try message(#""id":"wamid.1","timestamp":\#(timestamp)"#)?.at == at)
  }

  @Test(arguments: [
    "1e300", "-1e300", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "4294967296", "2147483648",
    "123456789012345678901234567890", "1.5e15", "null", "\"131026\"", "[]", "{}", "true", "-0.0",
  ])
  func `an error's code fits a database's integer, or is none`(_ code: String) throws {
    let report = try #require(try status(#""errors":[{"code":\#(code)}]"#))
    #expect(report.errorCode.map { Int32(exactly: $0) != nil } ?? true)
  }

  @Test(arguments: ["1e400", "-1e400", "1e99999999999999999999", String(repeating: "9", count: 10_000)])
  func `a number beyond all numbers is at least one update`(_ number: String) {
    let body = webhook(#"{"messages":[{"id":"wamid.1","n":\#(number)}]}"#)
    let updates = WebhookParser.updates(in: body)
    let isSound = !updates.isEmpty && updates.allSatisfy { isJSON($0.raw) }
    #expect(isSound)
  }

  @Test(arguments: ["null", "7", "[]", "{}", "\"\"", "true"])
  func `a reply's payload of another type is none`(_ payload: String) throws {
    #expect(try message(#""id":"w","type":"button","button":{"payload":\#(payload)}"#)?.replyPayload ?? "" == "")
    let reply = #""id":"w","type":"interactive","interactive":{"button_reply":{"id":\#(payload)}}"#
    #expect(try message(reply)?.replyPayload ?? "" == "")
  }
}
