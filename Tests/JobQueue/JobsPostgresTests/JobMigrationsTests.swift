import JobsPostgres
import Postgres
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct JobMigrationsTests {
  @Test func `ten who migrate at once apply each migration once`() async throws {
    try await withEmptyDatabase { configuration async throws in
      let names = JobMigrations.all.map(\.name)
      let migrator = PostgresMigrator(configuration, migrations: JobMigrations.all)
      #expect(try await migrator.pending() == names)
      let applied = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<10 { group.addTask { try await migrator.migrate() } }
        var applied: [String] = []
        for try await some in group { applied += some }
        return applied
      }
      #expect(applied == names)
      #expect(try await migrator.pending().isEmpty)
    }
  }

  @Test func `a database that is up to date is left alone`() async throws {
    try await withTestDatabase { _, configuration async throws in
      let migrator = PostgresMigrator(configuration, migrations: JobMigrations.all)
      #expect(try await migrator.migrate().isEmpty)
    }
  }
}
