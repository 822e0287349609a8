import ArgumentParser
import JobsPostgres
import Postgres

struct DeadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead", abstract: "Inspect dead letters: list, retry or archive them.",
    subcommands: [Groups.self, List.self, Show.self, Retry.self, Archive.self])

  static func withIndex<Value>(
    _ body: (PostgresDeadLetterIndex) async throws -> Value
  ) async throws -> Value {
    let pool = try AppBuilder().pool()
    let value = try await body(PostgresDeadLetterIndex(pool: pool))
    await pool.close()
    return value
  }
}
