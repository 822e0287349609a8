import Foundation
import TestServers
import Testing

@testable import RabbitMQ

/// The private RabbitMQ's TLS listener, and the certificates that `scripts/services` has made for it.
private struct TLSServer {
  let port: Int
  /// The folder with ca.pem, client.pem, client.key, stranger.pem and stranger.key.
  let folder: URL
  private let login: String

  init() throws {
    let url = try #require(
      ProcessInfo.processInfo.environment["VLUMA_TEST_AMQPS_URL"],
      "no TLS listener: scripts/services stop rabbitmq, start rabbitmq, then: eval \"$(scripts/services env)\"")
    let configuration = try RabbitMQConfiguration(url: url)
    let authorities = try #require(configuration.tls?.authoritiesFile)
    port = try #require(configuration.hosts.first).port
    folder = URL(filePath: authorities).deletingLastPathComponent()
    login = "\(configuration.user):\(configuration.password)"
  }

  func path(_ file: String) -> String { folder.appending(path: file).path(percentEncoded: false) }

  /// How to reach it, trusting its authority unless the test says otherwise.
  func configuration(
    _ parameters: String = "", host: String = "localhost", port: Int? = nil, trusting authorities: String? = "ca.pem"
  ) throws -> RabbitMQConfiguration {
    let trust = authorities.map { "cacertfile=" + path($0) } ?? ""
    return try RabbitMQConfiguration(url: "amqps://\(login)@\(host):\(port ?? self.port)/?\(trust)&\(parameters)")
  }

  /// What parameters make the client show this certificate.
  func showing(_ certificate: String, key: String? = nil) -> String {
    "certfile=\(path(certificate + ".pem"))&keyfile=\(path((key ?? certificate) + ".key"))"
  }
}

/// Connects, and asks the broker something.
private func connect(_ configuration: RabbitMQConfiguration) async throws -> Bool {
  try await RabbitMQAdministration.with(configuration) { try await $0.exchangeExists("amq.direct") }
}

/// Why no connection comes about.
private func refusal(_ configuration: RabbitMQConfiguration) async throws -> String {
  let error = await #expect(throws: RabbitMQError.self) { _ = try await connect(configuration) }
  guard case .connectionFailed(let server, let reason)? = error else {
    throw TestError(description: "\(String(describing: error)) is not connectionFailed")
  }
  #expect(server == configuration.serverName)
  return reason
}

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQTLSTests {
  /// A record of TLS holds 16 KB: these bodies take many, and many of these messages fit into one.
  @Test func `large and small messages come through unchanged, each confirmed and received once`() async throws {
    let configuration = try TLSServer().configuration()
    let large = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
    try await withQueue { queue in
      let messages = (0..<2_020).map { number in
        message("m\(number)", to: queue, body: number.isMultiple(of: 101) ? large : Data("small \(number)".utf8))
      }
      try await withPublisher(configuration) { publisher async throws in
        let results = await publisher.publish(messages, deadline: .now + .seconds(40))
        #expect(results.count { $0 == .confirmed } == messages.count)
      }
      try await withConsumer(configuration) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 200)) { $0.acknowledge() }
        try await eventually(within: .seconds(40), "all have come") { inbox.count == messages.count }
        #expect(inbox.ids == messages.compactMap(\.properties.messageID))
        let isUnchanged = inbox.deliveries.map(\.body) == messages.map(\.body)
        #expect(isUnchanged)
      }
      try await eventuallyReady(0, in: queue)
    }
  }

  @Test func `a connection cut in the middle loses nothing`() async throws {
    let server = try TLSServer()
    let proxy = try TCPProxy(to: "localhost", port: server.port)
    defer { proxy.stop() }
    let configuration = try server.configuration(port: proxy.port)
    try await withQueue { queue in
      try await withPublisher(configuration) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        proxy.cut(afterBytesFromClient: 100_000)
        let messages = (0..<1_000).map { message("m\($0)", to: queue, body: Data(count: 300)) }
        let results = await publisher.publish(messages, deadline: .now + .seconds(40))
        #expect(results.count { $0 == .confirmed } == 1_000)
        #expect(proxy.cutCount == 1)
      }
      let received = try await collect(queue) { Set($0.map(\.properties.messageID)).count == 1_000 }
      #expect(Set(received.map(\.properties.messageID)).count == 1_000)
    }
  }

  @Test func `a server whose authority is not trusted is refused`() async throws {
    let server = try TLSServer()
    let stranger = try await refusal(server.configuration(trusting: "stranger.pem"))
    #expect(stranger.hasPrefix("its certificate is refused"))
    // The system's bundle, without a cacertfile.
    let system = try await refusal(server.configuration(trusting: nil))
    #expect(system.hasPrefix("its certificate is refused"))
  }

  @Test func `a certificate for another name is refused`() async throws {
    let reason = try await refusal(TLSServer().configuration("server_name_indication=mq.example"))
    #expect(reason.contains("hostname mismatch"))
    #expect(reason.contains("mq.example"))
  }

  @Test func `a certificate for the address is accepted, and one for a name where that is given`() async throws {
    let server = try TLSServer()
    #expect(try await connect(server.configuration(host: "127.0.0.1")))
    #expect(try await connect(server.configuration("server_name_indication=localhost", host: "127.0.0.1")))
  }

  @Test func `without verification any server is accepted`() async throws {
    let parameters = "verify=verify_none&server_name_indication=mq.example"
    #expect(try await connect(TLSServer().configuration(parameters, trusting: nil)))
  }

  /// The broker verifies what it is shown, so a stranger's certificate proves that it is shown.
  @Test func `the client's certificate is sent: the broker accepts it and refuses a stranger's`() async throws {
    let server = try TLSServer()
    #expect(try await connect(server.configuration(server.showing("client"))))
    let reason = try await refusal(server.configuration(server.showing("stranger")))
    #expect(!reason.isEmpty)
  }

  @Test func `files that hold no certificate or another one's key are named`() async throws {
    let server = try TLSServer()
    let key = try await refusal(server.configuration(trusting: "client.key"))
    #expect(key.contains("cacertfile " + server.path("client.key")))
    let pair = try await refusal(server.configuration(server.showing("client", key: "stranger")))
    #expect(pair.contains("keyfile " + server.path("stranger.key")))
    #expect(pair.contains("key values mismatch"))
  }

  @Test func `AMQP without TLS, spoken to a port for TLS, fails in time and says what may be wrong`() async throws {
    let port = try TLSServer().port
    var plain = try RabbitMQConfiguration(url: "amqp://localhost:\(port)")
    plain.connectTimeout = .seconds(2)
    let configuration = plain
    let took = try await duration { () async throws in
      #expect(try await refusal(configuration).contains("amqps://"))
    }
    #expect(took < .seconds(8))
  }

  @Test func `TLS, spoken to a port without, fails in time and says what may be wrong`() async throws {
    let port = try TestEnvironment.rabbitMQ().port
    let configuration = try TLSServer().configuration("connection_timeout=2000", port: port)
    let took = try await duration { () async throws in
      #expect(try await refusal(configuration).hasPrefix("the TLS handshake failed"))
    }
    #expect(took < .seconds(8))
  }

  @Test func `a server that never answers the handshake is a failed connection within the connect timeout`()
    async throws
  {
    let server = try TLSServer()
    let proxy = try TCPProxy(to: "localhost", port: server.port)
    defer { proxy.stop() }
    proxy.freeze()
    let configuration = try server.configuration("connection_timeout=1000", port: proxy.port)
    let took = try await duration { () async throws in #expect(try await !refusal(configuration).isEmpty) }
    #expect(took < .seconds(6))
  }
}
