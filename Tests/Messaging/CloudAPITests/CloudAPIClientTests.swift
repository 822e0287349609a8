import CloudAPI
import Curl
import Foundation
import TestServers
import Testing
import WhatsApp

/// Sends over real connections: each result shows whether the provider can have acted on a message.
@Suite(.timeLimit(.minutes(1)))
struct CloudAPIClientTests {
  private let http = CurlClient()
  private let ok = #"{"contacts":[{"input":"5511987654321","wa_id":"551187654321"}],"messages":[{"id":"wamid.1"}]}"#

  private func client(_ url: String) -> CloudAPIClient {
    CloudAPIClient(http: http, url: url, version: "v23.0", token: "secret-token")
  }

  private func requireInDoubt(_ answer: SendResult) throws {
    guard case .inDoubt(let reason) = answer else { throw TestError(description: "\(answer) is no doubt") }
    #expect(!reason.isEmpty)
    #expect(!reason.contains("secret-token") && !reason.contains("5511987654321"))
  }

  @Test func `a message goes to the number's address, with the token and the callback`() async throws {
    let server = try StubServer(StubServer.json("200 OK", ok))
    defer { server.stop() }
    let answer = await client(server.url).send(message(callback: "intent-7"))
    #expect(answer == .accepted(wamid: "wamid.1", recipientID: "551187654321"))
    try #require(server.requests.count == 1)
    let request = server.requests[0]
    let lines = request.head.components(separatedBy: "\r\n")
    #expect(lines[0] == "POST /v23.0/106540352242922/messages HTTP/1.1")
    let headers = lines.map { $0.lowercased() }
    #expect(lines.contains { $0.lowercased() == "authorization: bearer secret-token" && $0.hasSuffix("secret-token") })
    #expect(headers.contains { $0.hasPrefix("content-type: application/json") })
    let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body.utf8)) as? [String: Any])
    #expect(body["biz_opaque_callback_data"] as? String == "intent-7")
    #expect(body["to"] as? String == "5511987654321")
    #expect(!request.body.contains("secret-token"))
  }

  @Test(
    arguments: zip(
      ["400 Bad Request", "401 Unauthorized", "404 Not Found", "503 Service Unavailable"],
      [
        CloudError(code: 131056, httpStatus: 400), CloudError(code: 190, httpStatus: 401),
        CloudError(code: 132001, httpStatus: 404), CloudError(code: 2, httpStatus: 503, isTransient: true),
      ]))
  func `a refusal comes through, and nothing is sent again`(_ status: String, _ error: CloudError) async throws {
    let body = #"{"error":{"message":"no","code":\#(error.code),"is_transient":\#(error.isTransient)}}"#
    let server = try StubServer(StubServer.json(status, body))
    defer { server.stop() }
    #expect(await client(server.url).send(message()) == .refused(error))
    #expect(server.requests.count == 1)
  }

  @Test func `a server that is not there was sent nothing`() async throws {
    let answer = await client("http://127.0.0.1:1").send(message())
    guard case .notSent(let reason) = answer else { throw TestError(description: "\(answer)") }
    #expect(!reason.isEmpty && !reason.contains("secret-token"))
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"messages\":[{\"id\":"])
  func `a connection that is cut after the request leaves the message in doubt`(_ said: String) async throws {
    let server = try StubServer(.responds(said))
    defer { server.stop() }
    try requireInDoubt(await client(server.url).send(message()))
    #expect(server.requests.count == 1)
  }

  @Test func `a gateway's error without JSON leaves the message in doubt`() async throws {
    let server = try StubServer(StubServer.json("500 Internal Server Error", "<html></html>"))
    defer { server.stop() }
    try requireInDoubt(await client(server.url).send(message()))
  }

  @Test func `a success without an id leaves the message in doubt`() async throws {
    let server = try StubServer(StubServer.json("200 OK", "{}"))
    defer { server.stop() }
    try requireInDoubt(await client(server.url).send(message()))
  }

  @Test func `an answer that is far too large leaves the message in doubt`() async throws {
    let server = try StubServer(StubServer.json("200 OK", String(repeating: " ", count: 1 << 20) + ok))
    defer { server.stop() }
    try requireInDoubt(await client(server.url).send(message()))
  }

  @Test func `a send that is cancelled after it was written leaves the message in doubt`() async throws {
    let server = try StubServer(.hangs)
    defer { server.stop() }
    let client = client(server.url)
    let sending = Task { await client.send(message()) }
    try await eventually("the request arrived") { server.requests.count == 1 }
    sending.cancel()
    let answer = try await withTimeout(within: .seconds(10), "the send ends") { await sending.value }
    try requireInDoubt(answer)
  }

  @Test func `a message that was cut into pieces by the network is one message`() async throws {
    let server = try StubServer(StubServer.json("200 OK", ok))
    defer { server.stop() }
    let long = message(callback: String(repeating: "x", count: 120_000))
    #expect(await client(server.url).send(long) == .accepted(wamid: "wamid.1", recipientID: "551187654321"))
    #expect((server.requests.first?.body.utf8.count ?? 0) > 100_000)
  }
}
