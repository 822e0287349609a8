import Curl
import Foundation
import TestServers
import Testing

@testable import WhatsAppSandbox

/// The behaviours as a client sees them, and as the sandbox records them.
@Suite(.timeLimit(.minutes(1)))
struct BehaviourTests {
  /// The only decided request, as outcome and whether it was accepted.
  private func decided(_ sandbox: SandboxClient) async throws -> (outcome: String?, isAccepted: Bool) {
    try await eventually("the request was decided on") { try await !sandbox.messages().isEmpty }
    let messages = try await sandbox.messages()
    #expect(messages.count == 1)
    return (messages.first?["outcome"]?.stringValue, messages.first?["accepted"]?.boolValue == true)
  }

  @Test func `an accepted message is answered as Meta answers`() async throws {
    let meta = try Sample.document("resp_ok_template_accepted_br_wa_id_differs")
    try await withSandbox { (sandbox) async throws in
      let answer = try await sandbox.send(Sample.template(to: "+5511987654321"))
      #expect(answer.status == 200)
      #expect(answer.document.shape == meta.shape)
      let contact: JSONValue = ["input": "+5511987654321", "wa_id": "5511987654321"]
      #expect(answer.document["contacts"]?.first == contact)
      #expect(answer.document["messages"]?.first?["message_status"]?.stringValue == "accepted")
      let listed = try #require(try await sandbox.messages().first)
      #expect(listed["wamid"]?.stringValue == answer.wamid)
      #expect(listed["to"]?.stringValue == "+5511987654321")
      #expect(listed["template"]?.stringValue == "lembrete_consulta")
      #expect(listed["callback"]?.stringValue == "job:1")
      #expect(listed["phone_number_id"]?.stringValue == Sample.phoneNumberID)
      #expect(listed["outcome"]?.stringValue == "accepted")
      #expect(listed["code"] == JSONValue.null)
      #expect(listed["accepted"]?.boolValue == true)
      #expect(listed["payloads"]?.arrayValue?.compactMap { $0.stringValue } == ["confirm:1", "cancel:1"])
      let at = try #require(listed["at"]?.stringValue)
      #expect(at.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }
  }

  @Test func `cut before: the client sees a broken connection and nothing is accepted`() async throws {
    try await withSandbox { (sandbox) async throws in
      try await sandbox.setBehaviours("cut-before")
      let error = await #expect(throws: CurlError.self) { try await sandbox.newConnection().send(Sample.template()) }
      #expect(error?.reason == .connectionLost)
      let (outcome, isAccepted) = try await decided(sandbox)
      #expect(outcome == "cut")
      #expect(!isAccepted)
    }
  }

  @Test func `cut after: the client sees a broken connection, and the message is accepted`() async throws {
    try await WebhookReceiver.with { receiver in
      try await withSandbox(.test { $0.webhookURL = receiver.url }) { (sandbox) async throws in
        try await sandbox.setBehaviours("cut-after")
        let error = await #expect(throws: CurlError.self) { try await sandbox.newConnection().send(Sample.template()) }
        #expect(error?.reason == .connectionLost)
        let (outcome, isAccepted) = try await decided(sandbox)
        #expect(outcome == "cut")
        #expect(isAccepted)
        try await eventually("both statuses came") { try await sandbox.statuses().count == 2 }
        #expect(receiver.all.allSatisfy { $0.status?["biz_opaque_callback_data"]?.stringValue == "job:1" })
      }
    }
  }

  @Test func `a cut on a kept-alive connection is one request`() async throws {
    try await withSandbox { (sandbox) async throws in
      try await sandbox.setBehaviours("accept", "cut-after", "accept")
      #expect(try await sandbox.send(Sample.template()).status == 200)
      await #expect(throws: CurlError.self) { try await sandbox.send(Sample.template()) }
      let outcomes = try await sandbox.messages().compactMap { $0["outcome"]?.stringValue }
      #expect(outcomes == ["accepted", "cut"])
    }
  }

  @Test func `silent: no answer comes and nothing is accepted`() async throws {
    try await withSandbox { (sandbox) async throws in
      try await sandbox.setBehaviours("silent", "accept")
      let error = await #expect(throws: CurlError.self) {
        try await sandbox.newConnection().send(Sample.template(), timeout: .milliseconds(300))
      }
      #expect(error?.reason == .timedOut)
      let (outcome, isAccepted) = try await decided(sandbox)
      #expect(outcome == "silent")
      #expect(!isAccepted)
      #expect(try await sandbox.send(Sample.template()).status == 200)
    }
  }

  @Test func `silent after: no answer comes, and the message is accepted`() async throws {
    try await WebhookReceiver.with { receiver in
      try await withSandbox(.test { $0.webhookURL = receiver.url }) { (sandbox) async throws in
        try await sandbox.setBehaviours("silent-after")
        let error = await #expect(throws: CurlError.self) {
          try await sandbox.newConnection().send(Sample.template(), timeout: .milliseconds(300))
        }
        #expect(error?.reason == .timedOut)
        let (outcome, isAccepted) = try await decided(sandbox)
        #expect(outcome == "silent")
        #expect(isAccepted)
        try await eventually("both statuses came") { try await sandbox.statuses().count == 2 }
      }
    }
  }

  @Test func `delay: the answer comes late`() async throws {
    try await withSandbox { (sandbox) async throws in
      try await sandbox.setBehaviours("delay:300")
      let time = try await duration { () async throws in
        #expect(try await sandbox.send(Sample.template()).status == 200)
      }
      #expect(time >= .milliseconds(300))
    }
  }

  @Test func `refusals have Meta's status for their code, or the one that is given`() async throws {
    let statuses = [
      ("refuse:131056", 400), ("refuse:131000", 500), ("refuse:131016", 503), ("refuse:190", 401), ("refuse:2", 503),
      ("refuse:368", 403), ("refuse:131056:429", 429), ("refuse:999999", 400),
    ]
    try await withSandbox { (sandbox) async throws in
      for (text, status) in statuses {
        try await sandbox.setBehaviours(text)
        let answer = try await sandbox.send(Sample.template())
        #expect(answer.status == status, "\(text)")
        #expect(answer.code == SandboxBehaviour(text)?.code)
      }
      for (code, file) in [("2", "err_2_http503_transient"), ("131056", "err_131056_http400")] {
        try await sandbox.setBehaviours("refuse:\(code)")
        let meta = try Sample.document(file)
        let answer = try await sandbox.send(Sample.template()).document
        #expect(answer.shape == meta.shape)
        for member in ["message", "code", "is_transient", "error_data"] {
          #expect(answer["error"]?[member] == meta["error"]?[member])
        }
      }
    }
  }

  @Test func `behaviours are used up one by one, the last stays, and without them faults return`() async throws {
    let fault = SandboxFault(share: 1, behaviour: .refuse(code: 1, httpStatus: nil))
    try await withSandbox(.test { $0.faults = [fault] }) { (sandbox) async throws in
      #expect(try await sandbox.send(Sample.template()).code == 1)
      try await sandbox.setBehaviours("refuse:131056", "refuse:131000", "accept")
      var codes: [Int?] = []
      for _ in 0..<5 { codes.append(try await sandbox.send(Sample.template()).code) }
      #expect(codes == [131_056, 131_000, nil, nil, nil])
      #expect(try await sandbox.send(Sample.template(to: "5521987654321")).code == 1)
      #expect(try await sandbox.request("DELETE", "/sandbox/recipients/\(Sample.recipient)").status == 204)
      #expect(try await sandbox.send(Sample.template()).code == 1)
    }
  }

  @Test func `wa-id: the account has another number than the one given`() async throws {
    try await WebhookReceiver.with { receiver in
      try await withSandbox(.test { $0.webhookURL = receiver.url }) { (sandbox) async throws in
        try await sandbox.setBehaviours("wa-id:553188888888", for: "5531988888888")
        let answer = try await sandbox.send(Sample.template(to: "+5531988888888"))
        let contact: JSONValue = ["input": "+5531988888888", "wa_id": "553188888888"]
        #expect(answer.document["contacts"]?.first == contact)
        try await receiver.wait(for: 2)
        #expect(receiver.all.allSatisfy { $0.status?["recipient_id"]?.stringValue == "553188888888" })
      }
    }
  }

  @Test func `a text that is no behaviour is refused`() async throws {
    try await withSandbox { (sandbox) async throws in
      for body in ["{}", #"{"behaviours": []}"#, #"{"behaviours": ["accept", "explode"]}"#, #"{"behaviours": [1]}"#] {
        let path = "/sandbox/recipients/\(Sample.recipient)"
        #expect(try await sandbox.request("PUT", path, Data(body.utf8)).status == 400)
      }
      #expect(try await sandbox.request("PUT", "/sandbox/recipients/Maria", Data("{}".utf8)).status == 400)
    }
  }
}
