import Foundation
import Testing

@testable import WhatsAppSandbox

/// Invalid requests are refused as Meta refuses them.
@Suite(.timeLimit(.minutes(1)))
struct RefusalTests {
  private func path(version: String = "v23.0", id: String = Sample.phoneNumberID) -> String {
    "/\(version)/\(id)/messages"
  }

  @Test(arguments: ["v23", "23.0", "v23.0.1", "vx.y", "V23.0"])
  func `an invalid version is refused before anything else`(_ version: String) async throws {
    try await withSandbox { (sandbox) async throws in
      let answer = try await sandbox.request("POST", path(version: version, id: "1"), token: nil)
      #expect(answer.isRefusal(400, 2_500))
    }
  }

  @Test func `a wrong token is refused as Meta refuses it`() async throws {
    let meta = try Sample.document("err_190_http401")
    try await withSandbox { (sandbox) async throws in
      for token in [nil, "", "other", "test-tokeN"] {
        let answer = try await sandbox.request("POST", path(id: "1"), Data("{".utf8), token: token)
        #expect(answer.isRefusal(401, 190))
        #expect(answer.document.shape == meta.shape)
        #expect(Self.message(answer.document) == Self.message(meta))
      }
    }
  }

  @Test func `an unknown phone number id is refused`() async throws {
    try await withSandbox { (sandbox) async throws in
      let answer = try await sandbox.request("POST", path(id: "1"), Sample.template().data())
      #expect(answer.isRefusal(400, 100))
      #expect(answer.document["error"]?["error_subcode"]?.intValue == 33)
    }
  }

  @Test func `without a list of numbers any phone number id is accepted`() async throws {
    try await withSandbox(.test { $0.phoneNumberIDs = [:] }) { (sandbox) async throws in
      let answer = try await sandbox.request("POST", path(id: "1"), Sample.template().data())
      #expect(answer.status == 200)
      let toItself = try await sandbox.request("POST", path(id: "1"), Sample.template(to: "551130031234").data())
      #expect(toItself.code == 131_021)
    }
  }

  @Test(arguments: ["", "{", "[]", "null", "\"text\"", "to=1"])
  func `a body that is no JSON object is refused`(_ body: String) async throws {
    try await withSandbox { (sandbox) async throws in
      let answer = try await sandbox.request("POST", path(), Data(body.utf8))
      #expect(answer.isRefusal(400, 100))
    }
  }

  /// Sends each message and expects its code, with HTTP status 400.
  private func expectRefusals(_ cases: [(what: String, message: JSONValue, code: Int)]) async throws {
    try await withSandbox { (sandbox) async throws in
      for (what, message, code) in cases {
        let answer = try await sandbox.send(message)
        #expect(answer.isRefusal(400, code), "\(what): \(answer)")
      }
      let listed = try await sandbox.messages()
      #expect(listed.compactMap { $0["code"]?.intValue } == cases.map { $0.code })
      #expect(listed.allSatisfy { $0["accepted"]?.boolValue == false && $0["outcome"]?.stringValue == "refused" })
    }
  }

  @Test func `a wrong envelope is refused`() async throws {
    let good = Sample.template()
    let sender = "+\(Sample.displayNumber)"
    try await expectRefusals([
      ("no messaging_product", good.with("messaging_product", nil), 100),
      ("another product", good.with("messaging_product", "sms"), 131_009),
      ("a group", good.with("recipient_type", "group"), 131_009),
      ("no recipient", good.with("to", nil), 131_008),
      ("a short number", good.with("to", "1234567"), 131_009),
      ("a long number", good.with("to", "1234567890123456"), 131_009),
      ("a formatted number", good.with("to", "+55 11 98765-4321"), 131_009),
      ("a number that is a number", good.with("to", 5_511_987_654_321), 131_009),
      ("the sender", good.with("to", .string(sender)), 131_021),
      ("no user id", good.with("to", nil).with("recipient", "Maria"), 131_009),
      ("long callback data", good.with("biz_opaque_callback_data", .string(Self.text(513))), 131_009),
      ("callback data that is no text", good.with("biz_opaque_callback_data", 5), 131_009),
    ])
  }

  @Test func `a wrong content is refused`() async throws {
    let good = Sample.template()
    try await expectRefusals([
      ("no type", good.with("type", nil), 131_008),
      ("an unknown type", good.with("type", "sticker"), 131_051),
      ("no template", good.with("template", nil), 131_008),
      ("a template without a language", good.with("template", ["name": "lembrete_consulta"]), 131_008),
      ("a text without one", Sample.text("").with("text", nil), 131_008),
      ("an empty text", Sample.text(""), 131_009),
      ("a long text", Sample.text(Self.text(4_097)), 131_009),
      ("a text to someone who did not write", Sample.text("Olá"), 131_047),
    ])
  }

  @Test func `the longest callback data and a user id are taken`() async throws {
    try await withSandbox { (sandbox) async throws in
      #expect(try await sandbox.send(Sample.template(callback: Self.text(512))).status == 200)
      let message = Sample.template().with("to", nil).with("recipient", "BR.13491208655302741918")
      let answer = try await sandbox.send(message)
      #expect(answer.status == 200)
      #expect(answer.document["contacts"]?.first?["user_id"]?.stringValue == "BR.13491208655302741918")
    }
  }

  @Test func `a template that does not exist in the language is refused as Meta refuses it`() async throws {
    let meta = try Sample.document("err_132001_http404")
    try await withSandbox { (sandbox) async throws in
      for message in [Sample.template("confirmacao"), Sample.template(language: "en_US")] {
        let answer = try await sandbox.send(message)
        #expect(answer.isRefusal(404, 132_001))
        #expect(answer.document.shape == meta.shape)
        #expect(Self.message(answer.document) == Self.message(meta))
      }
      let details = try await sandbox.send(Sample.template("x")).document["error"]?["error_data"]?["details"]
      #expect(details?.stringValue == "template name (x) does not exist in pt_BR")
    }
  }

  @Test func `a wrong count of parameters is refused as Meta refuses it`() async throws {
    let meta = try Sample.document("err_132000_http400")
    try await withSandbox { (sandbox) async throws in
      let answer = try await sandbox.send(Sample.template(parameters: ["Maria"]))
      #expect(answer.isRefusal(400, 132_000))
      #expect(answer.document.shape == meta.shape)
      #expect(Self.message(answer.document) == Self.message(meta))
      #expect(
        answer.document["error"]?["error_data"]?["details"]?.stringValue
          == "body: number of localizable_params (1) does not match the expected number of params (3)")
    }
  }

  @Test func `a text outside the window is refused as Meta refuses it`() async throws {
    let meta = try Sample.document("err_131047_http400")
    try await withSandbox { (sandbox) async throws in
      let answer = try await sandbox.send(Sample.text("Olá"))
      #expect(answer.status == 400)
      #expect(Self.traceless(answer.document) == Self.traceless(meta))
    }
  }

  @Test func `marking as read is taken, and is no message`() async throws {
    try await withSandbox { (sandbox) async throws in
      let read: JSONValue = ["messaging_product": "whatsapp", "status": "read", "message_id": "wamid.X"]
      let answer = try await sandbox.send(read)
      #expect(answer.status == 200)
      #expect(answer.document["success"]?.boolValue == true)
      #expect(try await sandbox.send(read.with("message_id", nil)).code == 131_008)
      #expect(try await sandbox.send(read.with("status", "seen")).code == 131_009)
    }
  }

  /// What the error says.
  private static func message(_ error: JSONValue) -> String? { error["error"]?["message"]?.stringValue }

  private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

  private static func traceless(_ error: JSONValue) -> JSONValue {
    error.with("error", error["error"]?.with("fbtrace_id", nil))
  }
}
