import JobOperations
import Jobs
import JobsPostgres
import Logging
import Postgres

/// Reads the state of PostgreSQL for the doctor.
struct PostgresProbe: Sendable {
  let configuration: PostgresConfiguration
  /// How long one statement may take.
  let timeout: Duration

  /// Whether migrations are applied and, where they are, what the tables hold.
  func collect() async throws -> SystemSnapshot.Store {
    let migrations = AppBuilder.migrations
    var store = SystemSnapshot.Store(server: configuration.serverName)
    do {
      store.pending = try await PostgresMigrator(configuration, migrations: migrations).pending()
    } catch let failure as PostgresMigrator.Failure {
      store.obstacle = failure.description
    }
    // Where nothing was applied, the table of migrations may not exist.
    guard store.pending.count < migrations.count else { return store }
    let pool = PostgresConnectionPool(configuration, size: 2)
    do {
      let applied = try await pool.query("SELECT name FROM public.schema_migration ORDER BY applied_at, name")
        .map { try $0.decode(0, as: String.self) }
      let known = Set(migrations.map(\.name))
      store.unknown = applied.filter { !known.contains($0) }
      if store.pending.isEmpty, store.obstacle == nil { store.contents = try await contents(pool) }
      await pool.close()
      return store
    } catch {
      await pool.close()
      throw error
    }
  }

  /// The live processes.
  func nodes() async throws -> [NodeReport] {
    let pool = PostgresConnectionPool(configuration, size: 2)
    do {
      let nodes = try await directory(pool).overview().nodes
      await pool.close()
      return nodes
    } catch {
      await pool.close()
      throw error
    }
  }

  private func contents(_ pool: PostgresConnectionPool) async throws -> SystemSnapshot.StoreContents {
    let backlog = try await BacklogSnapshot.read(pool, deadline: .now + timeout)
    let (settings, nodes) = try await directory(pool).overview()
    let gaps = try await PostgresGapStore(pool: pool).report(withExamples: true)
    return SystemSnapshot.StoreContents(backlog: backlog, settings: settings, nodes: nodes, gaps: gaps)
  }

  private func directory(_ pool: PostgresConnectionPool) -> PostgresPoolDirectory {
    PostgresPoolDirectory(pool: pool, logger: Logger(label: "vluma.doctor") { _ in SwiftLogNoOpLogHandler() })
  }
}
