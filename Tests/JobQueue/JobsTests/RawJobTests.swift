import Foundation
import Jobs
import TestServers
import Testing

private struct RawEchoJob: RawJob, Equatable {
  static let kind: JobKind = "test.raw_echo"
  static let schemaVersion = 2

  let body: Data
}

struct RawJobTests {
  private static let bodies: [[UInt8]] = [
    [], Array("{}".utf8), Array(#"{"b":1,"a":2, "a":3}"#.utf8), Array(#"{"text":"Ol\u00e1 \ud83d"}"#.utf8),
    Array("{ \"spaces\" : [ 1,\r\n2 ] }\n".utf8), Array("not json".utf8), Array("{".utf8), Array("null".utf8), [0],
    [0xff, 0xfe, 0x80, 0x00], Array(0...255), Array("\"text\"".utf8), Array(repeating: 0x20, count: 3 << 20),
  ]

  @Test(arguments: RawJobTests.bodies.indices)
  func `a body goes through the codec byte for byte`(_ index: Int) throws {
    let body = Data(Self.bodies[index])
    let encoded = try JobCodec.encode(RawEchoJob(body: body))
    let envelope = try JobCodec.envelope(for: RawEchoJob(body: body), tenant: nil)
    let decoded = try JobCodec.decode(RawEchoJob.self, from: envelope)
    // Compared here: a failed expectation would print all bytes.
    let isKept = encoded == body && envelope.body == body && decoded.body == body
    #expect(isKept)
  }

  @Test func `an envelope knows the kind and the version of a raw job`() throws {
    let envelope = try JobCodec.envelope(for: RawEchoJob(body: Data("x".utf8)), tenant: nil)
    #expect(envelope.kind == "test.raw_echo")
    #expect(envelope.schemaVersion == 2)
  }

  @Test func `a body that is a slice of other data is kept from its own start`() throws {
    let slice = Data("skipped{\"kept\":1}".utf8).dropFirst(7)
    let decoded = try JobCodec.decode(
      RawEchoJob.self, from: JobCodec.envelope(for: RawEchoJob(body: slice), tenant: nil))
    #expect(decoded.body == Data("{\"kept\":1}".utf8))
  }

  @Test func `random bytes are kept`() throws {
    var random = SeededRandom(seed: 51)
    for _ in 0..<200 {
      let count = Int.random(in: 0...100, using: &random)
      let body = Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
      let envelope = try JobCodec.envelope(for: RawEchoJob(body: body), tenant: nil)
      #expect(try JobCodec.decode(RawEchoJob.self, from: envelope).body == body)
    }
  }

  @Test func `a newer version of a raw job is rejected`() {
    let envelope = JobEnvelope(kind: RawEchoJob.kind, schemaVersion: 3, body: Data("{}".utf8))
    #expect(throws: JobCodec.Failure.newerSchema(found: 3, known: 2)) {
      try JobCodec.decode(RawEchoJob.self, from: envelope)
    }
  }

  @Test func `a body may be as long as the longest webhook`() {
    #expect(JobCodec.maxBodyBytes >= 3 << 20)
  }

  @Test func `a job that is not raw is coded as JSON`() throws {
    #expect(try JobCodec.encode(FollowUpJob(to: "Ana")) == Data(#"{"to":"Ana"}"#.utf8))
  }
}
