import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTP

struct ClientConnectionTests {
  private func post(_ path: String, _ length: Int) -> String {
    "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n"
  }

  @Test func `a request reaches the routes once it is complete, byte by byte`() throws {
    let client = try Embedded()
    for byte in post("/v1/bookings", 5) + "hell" { try client.send(String(byte)) }
    #expect(try client.request() == nil)
    try client.send("o")
    let request = try #require(try client.request())
    #expect(request.head.uri == "/v1/bookings")
    #expect(request.body == "hello")
    #expect(client.connection.state.phase == .answering)
    client.answer()
    #expect(try client.status() == 200)
    #expect(client.connection.state.phase == .idle)
  }

  @Test func `chunks are put together`() throws {
    let client = try Embedded()
    try client.send(
      "POST /v1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;a=b\r\nde\r\n0\r\nT: x\r\n\r\n"
    )
    #expect(try client.request()?.body == "abcde")
  }

  @Test func `pipelined requests come one at a time, in order, with little read ahead`() throws {
    let client = try Embedded()
    let requests = (0..<2_000).map { "GET /v1/\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
    try client.send(requests)
    for index in 0..<2_000 {
      #expect(try client.request()?.head.uri == "/v1/\(index)")
      #expect(try client.request() == nil)
      client.answer("\(index)")
    }
    #expect(client.connection.state.phase == .idle)
  }

  @Test func `a client that asks for 100 Continue gets it, unless its body is refused anyway`() throws {
    let client = try Embedded()
    try client.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    #expect(try client.received() == "HTTP/1.1 100 Continue\r\n\r\n")
    try client.send("ok")
    #expect(try client.request()?.body == "ok")
    let large = try Embedded()
    try large.send("POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n")
    #expect(try large.status() == 413)
  }

  @Test func `a half head is answered 408 and disconnected, an idle connection closed without a word`() throws {
    let half = try Embedded()
    try half.send("GET / HTT")
    half.wait(.seconds(6))
    #expect(try half.status() == 408)
    half.wait(.seconds(3))
    #expect(!half.channel.isActive)
    let idle = try Embedded()
    idle.wait(.seconds(74))
    #expect(idle.channel.isActive)
    idle.wait(.seconds(2))
    #expect(!idle.channel.isActive)
    #expect(try idle.received() == "")
  }

  @Test func `a silent body is answered 408`() throws {
    let client = try Embedded()
    try client.send(post("/webhooks/whatsapp", 3 << 20) + "{")
    client.wait(.seconds(6))
    #expect(try client.status() == 408)
    #expect(try client.request() == nil)
  }

  @Test func `the end of input within a request is 400, after one the answer still comes`() throws {
    let early = try Embedded()
    try early.send(post("/v1/x", 5) + "abc")
    early.endInput()
    #expect(try early.status() == 400)
    #expect(try early.request() == nil)
    let late = try Embedded()
    try late.send(post("/v1/x", 3) + "abc")
    late.endInput()
    #expect(try late.request()?.body == "abc")
    late.answer()
    #expect(try late.status() == 200)
    #expect(!late.channel.isActive)
  }

  @Test func `the body of a path without one is not read, and the connection ends with the answer`() throws {
    let client = try Embedded()
    try client.send(post("/nowhere", 1 << 30))
    #expect(try client.request()?.body == "")
    try client.send(String(repeating: "x", count: 100_000))
    client.answer()
    #expect(try client.received().contains("Connection: close"))
    #expect([.closing, .closed].contains(client.connection.state.phase))
    client.wait(.seconds(3))
    #expect(!client.channel.isActive)
  }

  @Test func `memory for bodies that is used up is a 503 with Retry-After`() throws {
    let client = try Embedded(bodies: BodyBudget(bytesMax: [.api: 10]))
    try client.send(post("/v1/x", 11) + "12345678901")
    #expect(try client.status() == 503)
    #expect(try client.received().contains("Retry-After: 1\r\n"))
    #expect(try client.received().contains(#""status":503"#))
  }

  @Test func `once the process stops, an idle connection closes and a request under way is the last`() throws {
    let idle = try Embedded()
    idle.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(!idle.channel.isActive)
    let busy = try Embedded()
    try busy.send("GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n")
    busy.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(try busy.request() != nil)
    busy.answer()
    #expect(try busy.received().contains("Connection: close"))
    let stuck = try Embedded()
    try stuck.send("GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n")
    stuck.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    stuck.wait(.seconds(11))
    #expect(!stuck.channel.isActive)
  }

  @Test func `an empty line before a request is skipped, as some clients send one after a body`() throws {
    let client = try Embedded()
    try client.send("\r\n")
    client.wait(.seconds(10))
    try client.send("\r\nGET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try client.request()?.head.uri == "/v1/x")
  }
}
