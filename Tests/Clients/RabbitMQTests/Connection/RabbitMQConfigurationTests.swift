import Testing

@testable import RabbitMQ

@Suite(.timeLimit(.minutes(1)))
struct RabbitMQConfigurationTests {
  private func hosts(_ url: String) throws -> [String] {
    try RabbitMQConfiguration(url: url).hosts.map { "\($0.name)|\($0.port)" }
  }

  @Test func `a full URL`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://anna:secret@mq.example:5673/production")
    #expect(configuration.hosts == [RabbitMQConfiguration.Host(name: "mq.example", port: 5673)])
    #expect(configuration.user == "anna")
    #expect(configuration.password == "secret")
    #expect(configuration.virtualHost == "production")
    #expect(configuration.serverName == "mq.example:5673")
  }

  @Test func `defaults for what a URL leaves out`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://localhost")
    #expect(configuration.hosts == [RabbitMQConfiguration.Host(name: "localhost", port: 5672)])
    #expect(configuration.user == "guest")
    #expect(configuration.password == "guest")
    #expect(configuration.virtualHost == "/")
    #expect(try RabbitMQConfiguration(url: "amqp://localhost/").virtualHost == "/")
    #expect(try RabbitMQConfiguration(url: "amqp://anna@localhost").password == "guest")
  }

  @Test func `several hosts`() throws {
    #expect(try hosts("amqp://u:p@one,two:1234,three/v") == ["one|5672", "two|1234", "three|5672"])
  }

  @Test func `percent escapes in login and virtual host`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://a%40b:p%2Fw%3A%25@host/%2Fteam%20one")
    #expect(configuration.user == "a@b")
    #expect(configuration.password == "p/w:%")
    #expect(configuration.virtualHost == "/team one")
  }

  @Test func `a colon or an at sign in the password need no escape`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://anna:se:cr@et@host")
    #expect(configuration.user == "anna")
    #expect(configuration.password == "se:cr@et")
    #expect(configuration.hosts == [RabbitMQConfiguration.Host(name: "host", port: 5672)])
  }

  @Test func `a question mark in the password needs no escape`() throws {
    let configuration = try RabbitMQConfiguration(url: "amqp://anna:se?cr=et@host/v?heartbeat=7")
    #expect(configuration.password == "se?cr=et")
    #expect(configuration.virtualHost == "v")
    #expect(configuration.heartbeat == .seconds(7))
  }

  @Test func `an empty password is kept`() throws {
    #expect(try RabbitMQConfiguration(url: "amqp://anna:@host").password.isEmpty)
  }

  @Test(arguments: [
    "", "localhost", "http://localhost", "AMQP://localhost", "amqp://", "amqps://", "amqp:///v", "amqp://u:p@",
    "amqp://host:0", "amqp://host:65536", "amqp://host:abc", "amqp://host:", "amqp://:5672", "amqp://u%zz:p@host",
    "amqp://u:p%@host", "amqp://host/%", "amqp://host/a%00b", "amqp://host?heartbeat", "amqp://host?=5",
    "amqp://host?heartbeat=%zz",
  ])
  func `URLs that cannot be used are refused`(_ url: String) {
    let error = #expect(throws: RabbitMQError.self) { try RabbitMQConfiguration(url: url) }
    guard case .invalidURL(let why) = error else {
      Issue.record("\(String(describing: error)) is not invalidURL")
      return
    }
    #expect(!why.isEmpty)
  }

  @Test(arguments: [
    "http://anna:hunter2@host", "amqp://anna:hunter2%@host", "amqp://anna:hunter2@host:99999", "amqp://anna:hunter2@",
    "amqp://anna:hunter2/more@host", "amqp://anna:hunter2?x/more@host", "amqp://anna:1?hunter2/more@host",
  ])
  func `no refusal repeats the password`(_ url: String) {
    let error = #expect(throws: RabbitMQError.self) { try RabbitMQConfiguration(url: url) }
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test func `the server's name holds neither user nor password`() throws {
    let name = try RabbitMQConfiguration(url: "amqp://anna:hunter2@one,two:99/v").serverName
    #expect(name == "one:5672,two:99")
  }

  @Test func `descriptions name server and reason`() {
    #expect(
      RabbitMQError.connectionFailed(server: "mq:1", reason: "no route").description
        == "cannot connect to RabbitMQ at mq:1: no route")
    #expect(RabbitMQError.channelClosed(code: 404, reason: "gone").code == RabbitMQError.notFound)
    #expect(RabbitMQError.connectionClosed(code: 320, reason: "forced").code == 320)
    #expect(RabbitMQError.deadlineExceeded.code == nil)
  }
}
