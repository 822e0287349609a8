import Jobs
import JobsPostgres
import Logging
import Operations
import Postgres

/// Asks the ledger's database.
struct LedgerExaminer: Sendable {
  let configuration: PostgresConfiguration
  /// How long one statement may take.
  let patience: Duration

  /// Whether it is up to date and, where it is, what it holds.
  func examine() async throws -> Examination.Ledger {
    let migrations = Composition.migrations
    var ledger = Examination.Ledger(server: configuration.serverName)
    do {
      ledger.pending = try await PostgresMigrator(configuration, migrations: migrations).pending()
    } catch let failure as PostgresMigrator.Failure {
      ledger.obstacle = failure.description
    }
    // Where nothing was applied there need not even be a table of what was.
    guard ledger.pending.count < migrations.count else { return ledger }
    let pool = PostgresPool(configuration, size: 2)
    do {
      let applied = try await pool.query("SELECT name FROM public.schema_migration ORDER BY applied_at, name")
        .map { try $0.decode(0, as: String.self) }
      let known = Set(migrations.map(\.name))
      ledger.unknown = applied.filter { !known.contains($0) }
      if ledger.pending.isEmpty, ledger.obstacle == nil { ledger.holdings = try await holdings(pool) }
      await pool.close()
      return ledger
    } catch {
      await pool.close()
      throw error
    }
  }

  /// The live worker processes.
  func nodes() async throws -> [NodeReport] {
    let pool = PostgresPool(configuration, size: 2)
    do {
      let nodes = try await directory(pool).overview().nodes
      await pool.close()
      return nodes
    } catch {
      await pool.close()
      throw error
    }
  }

  private func holdings(_ pool: PostgresPool) async throws -> Examination.Holdings {
    let remains = try await LedgerRemains.read(pool, deadline: .now + patience)
    let (settings, nodes) = try await directory(pool).overview()
    return Examination.Holdings(remains: remains, settings: settings, nodes: nodes)
  }

  private func directory(_ pool: PostgresPool) -> PostgresPoolDirectory {
    PostgresPoolDirectory(pool: pool, logger: Logger(label: "vluma.doctor") { _ in SwiftLogNoOpLogHandler() })
  }
}
