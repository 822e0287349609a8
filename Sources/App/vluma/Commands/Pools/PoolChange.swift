import ArgumentParser
import JobConfiguration
import Jobs
import JobsPostgres
import Postgres

/// Changes a pool's setting and prints the setting that holds now.
///
/// - Parameter validate: throws where queues.yaml does not allow the change.
func changePool(
  _ name: String, validate: (PoolConfiguration) throws -> Void,
  change: @escaping @Sendable (inout PoolSetting) -> Void
) async throws {
  let builder = try AppBuilder()
  let configuration = try builder.configuration()
  let poolName = PoolName(rawValue: name)
  guard let entry = configuration.pool(poolName) else {
    throw UnknownPool(name: poolName, known: configuration.pools.map(\.name))
  }
  try validate(entry)
  let pool = try builder.pool()
  let setting = try await builder.directory(pool).change(entry.name, by: operatorName(), change)
  let paused = setting.pausedKinds.map(\.rawValue).sorted()
  print(
    "\(name): size \(setting.size ?? entry.workers.start)" + (setting.isPaused ? ", paused" : "")
      + (paused.isEmpty ? "" : ", paused kinds: \(paused.joined(separator: ", "))"))
  await pool.close()
}

extension PoolConfiguration {
  /// Throws where one of the kinds is not the pool's.
  func requireKinds(_ kinds: Set<JobKind>) throws {
    guard let unknown = kinds.subtracting(jobs).first else { return }
    throw ValidationError(
      "\(name) runs no jobs of kind \"\(unknown)\"; it runs \(jobs.map(\.rawValue).joined(separator: ", ")).")
  }
}
