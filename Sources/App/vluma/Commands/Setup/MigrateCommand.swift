import ArgumentParser
import Postgres

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Bring the database's tables up to date. Safe to run on many nodes at once.")

  func run() async throws {
    let applied = try await Self.migrate(try AppBuilder())
    print(applied.isEmpty ? "The database is up to date." : "Applied: \(applied.joined(separator: ", "))")
  }

  @discardableResult
  static func migrate(_ builder: AppBuilder) async throws -> [String] {
    try await PostgresMigrator(try builder.environment.postgres(), migrations: AppBuilder.migrations).migrate()
  }
}
