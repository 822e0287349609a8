import Foundation
import TestServers
import Testing

@testable import RabbitMQ

@Suite(.timeLimit(.minutes(1)))
struct RabbitMQURLParametersTests {
  /// What the refusal of this URL says.
  private func refusal(_ url: String) throws -> String {
    let error = #expect(throws: RabbitMQError.self) { try RabbitMQConfiguration(url: url) }
    guard case .invalidURL(let why)? = error else {
      throw TestError(description: "\(String(describing: error)) is not invalidURL")
    }
    return why
  }

  /// Lends a folder with the named files in it.
  private func withFiles(_ names: String..., body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: TestEnvironment.uniqueName("rabbitmq"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in names { try Data("PEM".utf8).write(to: folder.appending(path: name)) }
    try body(folder)
  }

  @Test func `without parameters the defaults hold`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://host")
    #expect(configuration.heartbeat == .seconds(10))
    #expect(configuration.connectTimeout == .seconds(5))
    #expect(configuration.tls == nil)
  }

  @Test(arguments: ["amqp://host?", "amqp://host/v?", "amqp://u:p@host:5672/v?", "amqps://one,two:1/v?"])
  func `heartbeat and connection timeout are read, wherever the query begins`(_ start: String) throws {
    let configuration = try RabbitMQConfiguration(url: start + "heartbeat=5&connection_timeout=10000")
    #expect(configuration.heartbeat == .seconds(5))
    #expect(configuration.connectTimeout == .seconds(10))
    #expect(configuration.hosts.allSatisfy { !$0.name.contains("?") })
  }

  @Test(arguments: ["0", "61", "-1", "1.5", "ten", ""])
  func `heartbeats that are none are refused`(_ value: String) throws {
    #expect(try refusal("amqp://host?heartbeat=\(value)") == "its heartbeat must be a number from 1 to 60")
  }

  @Test(arguments: ["0", "99", "60001", "soon"])
  func `connection timeouts that are none are refused`(_ value: String) throws {
    #expect(try refusal("amqp://host?connection_timeout=\(value)").hasPrefix("its connection_timeout must be a number"))
  }

  @Test func `unknown parameters are named, with those that are known`() throws {
    let why = try refusal("amqp://host?heartbeat=5&channel_max=3&auth_mechanism=plain")
    #expect(why.contains("auth_mechanism, channel_max"))
    #expect(why.contains("server_name_indication"))
  }

  @Test func `a parameter given twice is refused`() throws {
    #expect(try refusal("amqp://host?heartbeat=5&heartbeat=5") == "its parameter heartbeat is given twice")
  }

  @Test func `parameters of TLS need amqps`() throws {
    #expect(try refusal("amqp://host?verify=verify_none&cacertfile=/x").hasSuffix("amqps:// only: cacertfile, verify"))
  }

  @Test func `amqps has its own port, verifies the server and trusts the system's authorities`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqps://one,two:5673,[::1]/v")
    #expect(configuration.hosts.map(\.port) == [5671, 5673, 5671])
    let tls = try #require(configuration.tls)
    #expect(tls.verifiesServer)
    #expect(tls.authoritiesFile == RabbitMQConfiguration.TLS.systemAuthorities)
    #expect(tls.identity == nil)
    #expect(tls.serverName == nil)
  }

  @Test func `files, name and verification are read, percent-decoded`() throws {
    try withFiles("ca 1.pem", "client.pem", "client.key") { folder throws in
      let path = folder.path(percentEncoded: false)
      let configuration = try RabbitMQConfiguration(
        url: "amqps://host?cacertfile=\(path)/ca%201.pem&certfile=\(path)/client.pem&keyfile=\(path)/client.key"
          + "&server_name_indication=mq.example&verify=verify_peer")
      let tls = try #require(configuration.tls)
      #expect(tls.authoritiesFile == path + "/ca 1.pem")
      let identity = try #require(tls.identity)
      #expect(identity.certificateFile == path + "/client.pem")
      #expect(identity.keyFile == path + "/client.key")
      #expect(tls.serverName == "mq.example")
      #expect(tls.verifiesServer)
    }
  }

  @Test func `verification can be turned off, and then no authority is needed`() throws {
    let tls = try #require(try RabbitMQConfiguration(url: "amqps://host?verify=verify_none").tls)
    #expect(!tls.verifiesServer)
    #expect(tls.authoritiesFile == nil)
  }

  @Test(arguments: ["verify_maybe", "none", "", "false"])
  func `any other verification is refused`(_ value: String) throws {
    #expect(try refusal("amqps://host?verify=\(value)") == "its verify must be verify_peer or verify_none")
  }

  @Test(arguments: ["cacertfile", "certfile", "keyfile"])
  func `a file that is not there is refused by parameter and path`(_ name: String) throws {
    #expect(try refusal("amqps://host?\(name)=/nowhere/x.pem") == "its \(name) cannot be read: /nowhere/x.pem")
    // A folder is no file.
    #expect(try refusal("amqps://host?\(name)=/etc") == "its \(name) cannot be read: /etc")
  }

  @Test(arguments: ["certfile", "keyfile"])
  func `a certificate needs its key, and a key its certificate`(_ name: String) throws {
    try withFiles("a.pem") { folder throws in
      let path = folder.appending(path: "a.pem").path(percentEncoded: false)
      #expect(try refusal("amqps://host?\(name)=\(path)").contains("only one of certfile and keyfile"))
    }
  }

  @Test(arguments: ["", "disable"])
  func `no name is no name to expect`(_ value: String) throws {
    #expect(try refusal("amqps://host?server_name_indication=\(value)").contains("server_name_indication"))
  }
}
