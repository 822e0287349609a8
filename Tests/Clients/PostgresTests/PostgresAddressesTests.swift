import ClientLoop
import Testing

@testable import Postgres

struct PostgresAddressesTests {
  private func parameters(_ url: String) throws -> [String: String] {
    let addresses = try PostgresAddresses(url, until: .now + .seconds(20))
    return Dictionary(uniqueKeysWithValues: addresses.parameters)
  }

  @Test func `an address stays as it is, with its port`() throws {
    #expect(
      try parameters("postgres://u:p@127.0.0.1:6543/d") == [
        "host": "127.0.0.1", "hostaddr": "127.0.0.1", "port": "6543",
      ])
    #expect(try parameters("postgres://u@[::1]/d") == ["host": "::1", "hostaddr": "::1", "port": ""])
  }

  @Test func `several hosts keep their order and ports`() throws {
    #expect(
      try parameters("postgres://u@127.0.0.1:1,127.0.0.2:2/d") == [
        "host": "127.0.0.1,127.0.0.2", "hostaddr": "127.0.0.1,127.0.0.2", "port": "1,2",
      ])
  }

  @Test func `a name gives all its addresses, each with the name, which certificates are for`() throws {
    let found = try parameters("postgres://u@localhost:7/d")
    let count = try #require(found["hostaddr"]).split(separator: ",").count
    #expect(found["host"] == Array(repeating: "localhost", count: count).joined(separator: ","))
    #expect(found["port"] == Array(repeating: "7", count: count).joined(separator: ","))
  }

  @Test(arguments: ["postgres://u@localhost/d?hostaddr=127.0.0.1", "postgres:///d"])
  func `where the URL has addresses, or no host, libpq decides`(_ url: String) throws {
    #expect(try parameters(url).isEmpty)
  }

  @Test func `a socket's folder is no name`() throws {
    #expect(
      try parameters("postgres://u@/d?host=/run/postgresql")
        == ["host": "/run/postgresql", "hostaddr": "", "port": ""])
  }

  @Test func `one host of several may be unknown, all of them may not`() throws {
    let found = try parameters("postgres://u@no-such-host.invalid,127.0.0.1/d")
    #expect(found["host"] == "127.0.0.1")
    #expect(throws: HostResolver.Failure.self) { try parameters("postgres://u@no-such-host.invalid/d") }
  }
}
