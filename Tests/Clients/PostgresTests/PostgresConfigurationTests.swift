import Postgres
import Testing

struct PostgresConfigurationTests {
  @Test func `the server's name holds neither user nor password`() throws {
    let configuration = try PostgresConfiguration(url: "postgres://anna:hunter2@db.example:5433/app?sslmode=disable")
    #expect(configuration.serverName == "db.example:5433/app")
    #expect(try PostgresConfiguration(url: "postgresql://db/app").serverName == "db:5432/app")
  }

  @Test(arguments: ["", "no url at all", "mysql://db/app", "postgres:///app", "postgres:app", "://", "hunter2@db/app"])
  func `URLs that cannot be used are refused, without being repeated`(_ url: String) {
    let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
    #expect(error?.kind == "invalidURL")
    #expect(error?.description.contains("hunter2") == false)
  }
}
