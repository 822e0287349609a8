import Foundation
import Testing

@testable import WhatsAppSandbox

/// Escaping and signatures of webhooks, compared with Meta's.
struct WebhookEncodingTests {
  @Test func `the vector's bytes have the vector's signature`() throws {
    let body = try Sample.payload("sig_escaped_unicode_body")
    #expect(body.count == 250)
    #expect(
      WebhookEncoding.signature(of: body, secret: "app_secret_123")
        == "sha256=05f5baf02e7743a0aa4990eb4603a7c0185c29fcb72a3f9e6771d2bba77eb7f3")
  }

  @Test func `literal characters are escaped into the vector's bytes`() throws {
    let literal =
      #"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{"messages":[{"from":"#
      + #""5511987654321","id":"wamid.X","timestamp":"1700000000","type":"text","text":{"body":"Olá, São Paulo 😀"}}"#
      + #"]},"field":"messages"}]}]}"#
    let vector = try Sample.payload("sig_escaped_unicode_body")
    #expect(WebhookEncoding.escaped(Data(literal.utf8)) == vector)
  }

  @Test func `what is signed is ASCII, and says what it said before`() throws {
    let text = "ção \u{7}\n\"\\ / 日本 👩‍👩‍👧 \u{ffff}"
    let document: JSONValue = ["text": .string(text), "number": 1_689_556_908_129_832, "flag": true]
    let body = WebhookEncoding.body(document)
    #expect(body.allSatisfy { $0 < 0x80 })
    #expect(JSONValue(body) == document)
    #expect(!String(decoding: body, as: UTF8.self).contains(/\\u[0-9a-f]*[A-F]/))
  }
}
