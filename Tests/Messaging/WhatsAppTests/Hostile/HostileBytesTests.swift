import Foundation
import TestServers
import Testing
import WhatsApp

/// Bodies that are no proper text, or no JSON: none is an error, and nothing of them reaches a database as a NUL.
struct HostileBytesTests {
  /// The text of the only message in a body whose text is written like this.
  private func textRead(_ written: String) throws -> String? {
    let update = try onlyUpdate(#"{"messages":[{"id":"wamid.1","from":"551","text":{"body":"\#(written)"}}]}"#)
    let message = try #require(update.asMessage)
    #expect(message.wamid == "wamid.1")
    let stored = try json(message.raw) as? [String: Any]
    return (stored?["text"] as? [String: Any])?["body"] as? String
  }

  @Test(
    arguments: zip(
      [
        #"a\u0000b"#, #"\u0000"#, #"\ud800"#, #"\udc00x"#, #"\ud83d\u0041"#, #"\udc00\ud800"#, #"\ud83d\ude00"#,
        #"\uD83D\uDE00"#, #"\ud83d\ud83d\ude00"#, #"\\u0000"#, #"\\\u0000"#, #"\"\u0000\""#, #"\u00e1\u0000"#,
        #"\ud83dx\ude00"#, #"\ud83d\\ude00"#, #"\\ud83d"#, #"\n\u0000\/"#, #"😀\ud83d"#,
      ],
      [
        "a\u{fffd}b", "\u{fffd}", "\u{fffd}", "\u{fffd}x", "\u{fffd}A", "\u{fffd}\u{fffd}", "😀",
        "😀", "\u{fffd}😀", #"\u0000"#, "\\\u{fffd}", "\"\u{fffd}\"", "á\u{fffd}",
        "\u{fffd}x\u{fffd}", "\u{fffd}\\ude00", #"\ud83d"#, "\n\u{fffd}/", "😀\u{fffd}",
      ]))
  func `NULs and halves of characters become the replacement character`(_ written: String, _ read: String) throws {
    #expect(try textRead(written) == read)
  }

  @Test func `a NUL in an id, a name, a key or a field is replaced too`() throws {
    let contact = #"{"wa_id":"5\u0000","profile":{"name":"A\u0000"}}"#
    let update = try onlyUpdate(#"{"contacts":[\#(contact)],"messages":[{"id":"w\u0000","from":"5\u0000"}]}"#)
    let message = try #require(update.asMessage)
    #expect(message.wamid == "w\u{fffd}" && message.from == "5\u{fffd}" && message.profileName == "A\u{fffd}")
    for body in [webhook(#"{"\u0000":{"\ud800":1}}"#), webhook("{}", field: #"f\u0000"#, account: #"a\udfff"#)] {
      for update in WebhookParser.updates(in: body) { #expect(!holdsNull(update)) }
    }
  }

  @Test(
    arguments: [[0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xc0, 0x80], [0x80], [0xfe, 0xff]]
      as [[UInt8]])
  func `bytes that are no UTF-8 spoil no message`(_ bytes: [UInt8]) throws {
    let parts = String(decoding: webhook(#"{"messages":[{"id":"wamid.1","text":{"body":"|"}}]}"#), as: UTF8.self)
      .split(separator: "|")
    let body = Data(parts[0].utf8) + Data(bytes) + Data(parts[1].utf8)
    let updates = WebhookParser.updates(in: body)
    #expect(updates.map { $0.asMessage?.wamid } == ["wamid.1"])
    #expect(updates.allSatisfy { !holdsNull($0) })
  }

  @Test(arguments: [
    "", "not json", "{", "nul", "[", "{}{}", #"{"a":}"#, #"{"a":"\x"}"#, "\u{0}", "\"\n\"", "{'a':1}", "01",
  ])
  func `what is no JSON is one event that keeps the bytes`(_ text: String) throws {
    let body = Data(text.utf8)
    let updates = WebhookParser.updates(in: body)
    try #require(updates.count == 1)
    let event = try #require(updates[0].asEvent)
    #expect(event.field == "unreadable")
    #expect(event.effect == ProviderEvent.Effect.none)
    let stored = try #require(try json(event.raw) as? String)
    #expect(Data(base64Encoded: stored) == body)
  }

  @Test(arguments: [
    "null", "7", #""text""#, "true", "[]", "{}", "[{}]", #"{"entry":[]}"#, #"{"entry":{}}"#, #"{"entry":[7]}"#,
  ])
  func `JSON of an unknown shape is one event that keeps it`(_ text: String) throws {
    let updates = WebhookParser.updates(in: Data(text.utf8))
    try #require(updates.count == 1)
    let (came, kept) = (try canonical(json(text)), try canonical(json(updates[0].raw)))
    #expect(came.contains(kept))
    #expect(updates[0].asEvent?.effect == ProviderEvent.Effect.none)
  }

  @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .utf32LittleEndian])
  func `a body in another encoding brings no NUL either`(_ encoding: String.Encoding) throws {
    let text = String(decoding: webhook(#"{"messages":[{"id":"w\u0000","from":"5\u0000"}]}"#), as: UTF8.self)
    let updates = WebhookParser.updates(in: try #require(text.data(using: encoding)))
    #expect(!updates.isEmpty)
    for update in updates { #expect(!holdsNull(update), "\(text)") }
  }

  @Test func `random bytes are always at least one event`() {
    var random = SeededRandom(seed: 21)
    for _ in 0..<2_000 {
      let count = Int.random(in: 0...60, using: &random)
      let body = Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
      let updates = WebhookParser.updates(in: body)
      let isSound = !updates.isEmpty && updates.allSatisfy { !holdsNull($0) && isJSON($0.raw) }
      #expect(isSound, "\(Array(body))")
    }
  }

  @Test func `a webhook that was cut or changed at any byte is always at least one update`() throws {
    var random = SeededRandom(seed: 22)
    let whole = try Payload.data("batch_mixed")
    for place in stride(from: 0, to: whole.count, by: 3) {
      var changed = whole
      changed[place] = UInt8.random(in: 0...255, using: &random)
      for body in [whole.prefix(place), changed] {
        let updates = WebhookParser.updates(in: Data(body))
        let isSound = !updates.isEmpty && updates.allSatisfy { !holdsNull($0) && isJSON($0.raw) }
        #expect(isSound, "at byte \(place)")
      }
    }
  }
}
