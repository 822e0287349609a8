import Foundation
import Testing
import WhatsApp

struct SignatureTests {
  private let secret = "app_secret_123"
  private let digits = "05f5baf02e7743a0aa4990eb4603a7c0185c29fcb72a3f9e6771d2bba77eb7f3"

  private func body() throws -> Data { try Payload.data("sig_escaped_unicode_body") }

  @Test func `the provider's vector is valid`() throws {
    let body = try body()
    #expect(body.count == 250)
    #expect(WebhookSignature.isValid("sha256=" + digits, of: body, secret: secret))
    #expect(WebhookSignature.value(for: body, secret: secret) == "sha256=" + digits)
  }

  @Test func `GitHub's vector is valid`() {
    let body = Data("Hello, World!".utf8)
    let value = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    #expect(WebhookSignature.isValid(value, of: body, secret: "It's a Secret to Everybody"))
    #expect(WebhookSignature.header.lowercased() == "x-hub-signature-256")
  }

  @Test func `a body that was decoded and written again has another signature`() throws {
    let text = String(decoding: try body(), as: UTF8.self)
      .replacingOccurrences(of: #"\u00e1"#, with: "á").replacingOccurrences(of: #"\u00e3"#, with: "ã")
      .replacingOccurrences(of: #"\ud83d\ude00"#, with: "😀")
    let again = Data(text.utf8)
    #expect(WebhookSignature.value(for: again, secret: secret).hasPrefix("sha256=4ea590ce"))
    #expect(!WebhookSignature.isValid("sha256=" + digits, of: again, secret: secret))
  }

  @Test func `one bit more or less in the body is another signature`() throws {
    let body = try body()
    for place in [0, 100, body.count - 1] {
      var other = body
      other[place] ^= 1
      #expect(!WebhookSignature.isValid("sha256=" + digits, of: other, secret: secret))
    }
    #expect(!WebhookSignature.isValid("sha256=" + digits, of: body + Data([10]), secret: secret))
    #expect(!WebhookSignature.isValid("sha256=" + digits, of: body.dropLast(), secret: secret))
  }

  @Test(arguments: [
    "", "sha256=", "sha1=", "=", "sha256", "SHA256=", "sha512=", "sha256:", " sha256=", "sha256= ", "sha-256=",
  ])
  func `without the right prefix nothing is valid`(_ prefix: String) throws {
    let body = try body()
    #expect(WebhookSignature.isValid(prefix + digits, of: body, secret: secret) == (prefix == "sha256="))
  }

  @Test func `no header is not valid`() throws {
    let body = try body()
    #expect(!WebhookSignature.isValid(nil, of: body, secret: secret))
  }

  @Test func `a signature is 64 lower-case digits, all of them right`() throws {
    let body = try body()
    let wrong = [
      digits.uppercased(), String(digits.dropLast()), String(digits.dropFirst()), digits + "0", digits + " ",
      digits + "\n", "0" + digits, "", String(repeating: "0", count: 64), String(repeating: "g", count: 64),
      digits + digits, String(digits.dropLast(2)), String(digits.reversed()), digits + "\u{301}",
      "0x\(digits.dropFirst(2))", "+\(digits.dropFirst())",
    ]
    for text in wrong {
      #expect(!WebhookSignature.isValid("sha256=" + text, of: body, secret: secret), "\(text)")
    }
    for place in 0..<64 {
      var characters = Array(digits)
      characters[place] = characters[place] == "0" ? "1" : "0"
      #expect(!WebhookSignature.isValid("sha256=" + String(characters), of: body, secret: secret))
    }
  }

  @Test func `under another secret, and under none, nothing is valid`() throws {
    let body = try body()
    #expect(!WebhookSignature.isValid("sha256=" + digits, of: body, secret: secret + " "))
    #expect(!WebhookSignature.isValid("sha256=" + digits, of: body, secret: ""))
    let underNone = WebhookSignature.value(for: body, secret: "")
    #expect(!WebhookSignature.isValid(underNone, of: body, secret: ""))
  }

  @Test(arguments: [0, 1, 63, 64, 65, 3 << 20])
  func `what was signed here is valid here, up to the largest webhook`(_ bytes: Int) {
    let body = Data(repeating: 0xe1, count: bytes)
    let value = WebhookSignature.value(for: body, secret: secret)
    let isValid = WebhookSignature.isValid(value, of: body, secret: secret)
    #expect(isValid)
  }

  @Test func `texts are the same only where every byte is`() {
    #expect(WebhookSignature.isSame("token", "token"))
    #expect(WebhookSignature.isSame("", ""))
    for other in ["", "t", "toke", "token ", "Token", "tokem", "tokentoken", "t\u{f6}ken"] {
      #expect(!WebhookSignature.isSame(other, "token"))
      #expect(!WebhookSignature.isSame("token", other))
    }
    // Equal as characters, other bytes.
    #expect(!WebhookSignature.isSame("e\u{301}", "\u{e9}"))
  }
}
