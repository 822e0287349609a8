import Curl
import Foundation
import Testing

/// A server that cannot prove who it is gets nothing, against a real nginx.
@Suite(.timeLimit(.minutes(1)))
struct CurlTLSTests {
  /// What is wrong with a certificate.
  enum Flaw: CaseIterable {
    case unknownAuthority
    case otherName
    case expired
  }

  /// A certificate with a flaw, for a client that trusts `trusted`.
  private func certificate(_ flaw: Flaw, _ trusted: TestCertificateAuthority, in folder: TestFolder) async throws
    -> ServerCertificate
  {
    let names = ServerCertificate.goodNames
    switch flaw {
    case .unknownAuthority:
      let other = try await TestCertificateAuthority("other", in: folder)
      return try await other.issue("server", for: names)
    case .otherName: return try await trusted.issue("server", for: "DNS:elsewhere.example,IP:127.0.0.2")
    case .expired: return try await trusted.issue("server", for: names, days: -1)
    }
  }

  /// Expects that this client does not get through, and that nothing was written.
  private func expectRefusal(_ client: CurlClient, _ url: String) async {
    let error = await #expect(throws: CurlError.self) {
      try await client.send(CurlRequest("POST", url, body: Data("secret".utf8)))
    }
    #expect(error?.reason == .notConnected)
    #expect(error?.mayHaveBeenWritten == false)
  }

  @Test(arguments: Flaw.allCases)
  func `a certificate with a flaw is refused, and nothing is written`(_ flaw: Flaw) async throws {
    try await TestFolder.with { folder async throws in
      let upstream = try ScriptedServer(answering: ScriptedServer.ok)
      defer { upstream.stop() }
      let trusted = try await TestCertificateAuthority("trusted", in: folder)
      let flawed = try await certificate(flaw, trusted, in: folder)
      try await Nginx.with(flawed, upstream: upstream.port, in: folder) { nginx async throws in
        let client = CurlClient(certificateAuthorities: trusted.certificate)
        await expectRefusal(client, nginx.https + "/upstream")
        await expectRefusal(client, nginx.https + "/upstream")
        // The server itself is well.
        let response = try await client.send(CurlRequest("GET", nginx.http + "/upstream"))
        #expect(response.status == 200)
        #expect(upstream.requests.count == 1)
      }
    }
  }

  @Test func `an authority of the test's own is unknown to the system, and known to who names it`() async throws {
    try await withNginx { nginx, client, _ async throws in
      await expectRefusal(CurlClient(), nginx.https + "/")
      #expect(try await client.send(CurlRequest("GET", nginx.https + "/")).status == 200)
    }
  }

  @Test func `a certificate holds for a name as for an address`() async throws {
    try await withNginx { nginx, client, _ async throws in
      let url = "https://localhost:\(nginx.httpsPort)/"
      #expect(try await client.send(CurlRequest("GET", url)).status == 200)
    }
  }

  @Test func `with a missing file of authorities no server is trusted`() async throws {
    try await withNginx { nginx, _, folder async throws in
      let client = CurlClient(certificateAuthorities: folder.path("missing.pem"))
      let error = await #expect(throws: CurlError.self) {
        try await client.send(CurlRequest("POST", nginx.https + "/", body: Data("x".utf8)))
      }
      #expect(error?.mayHaveBeenWritten == false)
    }
  }

  @Test func `a server that does not speak TLS was written nothing`() async throws {
    let server = try ScriptedServer { connection in
      connection.waitForBytes(1)
      connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    }
    defer { server.stop() }
    await expectRefusal(CurlClient(), "https://127.0.0.1:\(server.port)/")
  }
}
