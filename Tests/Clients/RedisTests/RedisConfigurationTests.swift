import Redis
import Testing

struct RedisConfigurationTests {
  @Test func `a full URL`() throws {
    let configuration = try RedisConfiguration(url: "redis://anna:secret@cache.example:6380/3")
    #expect(configuration.host == "cache.example")
    #expect(configuration.port == 6380)
    #expect(configuration.user == "anna")
    #expect(configuration.password == "secret")
    #expect(configuration.database == 3)
    #expect(configuration.serverName == "cache.example:6380")
  }

  @Test func `defaults for what a URL leaves out`() throws {
    let configuration = try RedisConfiguration(url: "redis://localhost")
    #expect(configuration.port == 6379)
    #expect(configuration.user == nil)
    #expect(configuration.password == nil)
    #expect(configuration.database == 0)
    #expect(try RedisConfiguration(url: "redis://localhost/").database == 0)
  }

  @Test func `a password without a user`() throws {
    let configuration = try RedisConfiguration(url: "redis://:secret@localhost")
    #expect(configuration.user == nil)
    #expect(configuration.password == "secret")
  }

  @Test func `percent escapes in the login`() throws {
    let configuration = try RedisConfiguration(url: "redis://a%40b:p%2Fw%25@localhost")
    #expect(configuration.user == "a@b")
    #expect(configuration.password == "p/w%")
  }

  @Test(arguments: [
    "", "localhost", "http://localhost", "rediss://localhost", "redis://", "redis:///1", "redis://localhost/one",
    "redis://localhost/1/2", "redis://localhost/-1",
  ])
  func `URLs that cannot be used are refused`(_ url: String) {
    let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
    guard case .invalidURL(let why) = error else {
      Issue.record("\(String(describing: error)) is not invalidURL")
      return
    }
    #expect(!why.isEmpty)
  }

  @Test(arguments: [
    "http://anna:hunter2@host", "redis://anna:hunter2@host/x", "anna:hunter2@host", "redis://anna:hunter2@",
  ])
  func `no refusal repeats the password`(_ url: String) {
    let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
    #expect(error?.description.contains("hunter2") == false)
  }
}
