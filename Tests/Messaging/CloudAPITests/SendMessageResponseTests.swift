import Foundation
import Testing
import WhatsApp

@testable import CloudAPI
@testable import Curl

/// What the API's answers mean.
struct SendMessageResponseTests {
  private func answer(_ status: Int, _ body: Data) -> SendResult {
    CloudAPIClient.interpret(CurlResponse(status: status, headers: [], body: body))
  }

  private func answer(_ status: Int, _ body: String) -> SendResult { answer(status, Data(body.utf8)) }

  private static let accepted = [
    "resp_ok": SendResult.accepted(
      wamid: "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA", recipientID: "16505551234"),
    "resp_ok_template_accepted_br_wa_id_differs": .accepted(
      wamid: "wamid.HBgNNTUxMTk4NzY1NDMyMRUCABEYEjgxQkVFRDVBQTVDODFDOTg3MQA=", recipientID: "553188888888"),
  ]

  private static let refused = [
    "err_130429_http400": CloudError(code: 130429, httpStatus: 400),
    "err_131047_http400": CloudError(code: 131047, httpStatus: 400),
    "err_131056_http400": CloudError(code: 131056, httpStatus: 400),
    "err_132000_http400": CloudError(code: 132000, httpStatus: 400),
    "err_132001_http404": CloudError(code: 132001, httpStatus: 404),
    "err_190_http401": CloudError(code: 190, httpStatus: 401),
    "err_2_http503_transient": CloudError(code: 2, httpStatus: 503, isTransient: true),
  ]

  @Test func `no payload is forgotten`() throws {
    let files = Array(Self.accepted.keys) + Array(Self.refused.keys)
    #expect(try Payload.names("resp_", "err_") == files.sorted())
  }

  @Test(arguments: SendMessageResponseTests.accepted.keys.sorted())
  func `an accepted message has its id and the recipient's`(_ file: String) throws {
    #expect(try answer(200, Payload.data(file)) == Self.accepted[file])
  }

  @Test(arguments: SendMessageResponseTests.refused.keys.sorted())
  func `a refusal has the code, the HTTP status, and whether it passes`(_ file: String) throws {
    let error = try #require(Self.refused[file])
    #expect(try answer(error.httpStatus, Payload.data(file)) == .refused(error))
  }

  @Test func `an answer may leave out the contacts, or the id of one`() {
    let wanted = SendResult.accepted(wamid: "wamid.1", recipientID: nil)
    #expect(answer(200, #"{"messages":[{"id":"wamid.1"}]}"#) == wanted)
    #expect(answer(200, #"{"contacts":[],"messages":[{"id":"wamid.1"}]}"#) == wanted)
    #expect(answer(200, #"{"contacts":[{"input":"BR.1"}],"messages":[{"id":"wamid.1"}]}"#) == wanted)
  }

  @Test(arguments: ["accepted", "held_for_quality_assessment", "paused", "something_new"])
  func `a message that was given an id is accepted, whatever its status`(_ status: String) {
    let body = #"{"messages":[{"id":"wamid.1","message_status":"\#(status)"}]}"#
    #expect(answer(200, body) == .accepted(wamid: "wamid.1", recipientID: nil))
  }

  @Test(arguments: [
    "", "{}", "[]", "null", "<html></html>", #"{"messages":[]}"#, #"{"messages":[{}]}"#, #"{"messages":[{"id":""}]}"#,
    #"{"messages":[{"id":null}]}"#, #"{"messages":[{"id":"wamid"#, #"{"success":true}"#, #"{"error":{"code":2}}"#,
  ])
  func `a success without an id leaves the message in doubt`(_ body: String) {
    guard case .inDoubt(let reason) = answer(200, body) else {
      Issue.record("\(answer(200, body)) is no doubt")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test(arguments: [500, 502, 503, 504], ["", "<html>Bad Gateway</html>", "{}", "null", #"{"error":"down"}"#])
  func `a server's error that is none of the API's leaves the message in doubt`(_ status: Int, _ body: String) {
    guard case .inDoubt = answer(status, body) else {
      Issue.record("\(answer(status, body)) is no doubt")
      return
    }
  }

  @Test(arguments: [400, 401, 403, 404, 413, 429], ["", "<html></html>", "{}", #"{"error":{}}"#])
  func `a refusal without a code has code 0`(_ status: Int, _ body: String) {
    #expect(answer(status, body) == .refused(CloudError(code: 0, httpStatus: status)))
  }

  @Test func `a refusal for want of a valid token stops the account, with or without a code`() {
    for body in ["", #"{"error":{"code":190}}"#, #"{"error":{"code":0,"type":"OAuthException"}}"#] {
      guard case .refused(let error) = answer(401, body), case .suspend(.account, _) = error.policy() else {
        Issue.record("\(answer(401, body)) stops nothing")
        continue
      }
    }
  }

  @Test func `a number that does not exist is recognized by its subcode`() {
    let body = #"{"error":{"code":100,"error_subcode":33,"message":"Object with ID '1' does not exist"}}"#
    #expect(answer(400, body) == .refused(CloudError(code: 33, httpStatus: 400)))
    #expect(answer(400, #"{"error":{"code":100}}"#) == .refused(CloudError(code: 100, httpStatus: 400)))
  }
}
