package import JobsPostgres
package import Logging
package import Postgres
internal import ServiceLifecycle

/// Prunes PostgreSQL every ten minutes, in one process at a time.
package struct PruningService: Service {
  private let pruner: JobPruner
  private let logger: Logger

  /// Seconds between two rounds, chosen at random so that processes started together do not coincide.
  private static let interval = 480.0...720.0
  /// Between two rounds while more is left to prune.
  private static let delayWithMore = Duration.seconds(1)
  /// Failed rounds in a row before a warning is logged: an hour.
  private static let failuresTolerated = 6
  /// Rounds in a row that postpone a partition before a warning is logged: a day. Partitions exist for a fortnight
  /// ahead.
  private static let postponementsTolerated = 144

  package init(_ pool: PostgresConnectionPool, retention: Retention = Retention(), logger: Logger) {
    pruner = JobPruner(pool.configuration, retention: retention)
    self.logger = logger
  }

  package func run() async throws { await cancelWhenGracefulShutdown { await prune() } }

  /// Prunes until the task is cancelled.
  private func prune() async {
    var delay = Duration.seconds(Double.random(in: 0...60))
    var (failures, postponements) = (0, 0)
    while !Task.isCancelled {
      do {
        try await Task.sleep(for: delay)
        delay = .seconds(Double.random(in: Self.interval))
        let pruned = try await pruner.prune()
        failures = 0
        if pruned.wasSkipped { continue }
        if pruned.hasMore { delay = Self.delayWithMore }
        if pruned.hasChanges { logger.info("jobs pruned", metadata: metadata(pruned)) }
        postponements = pruned.partitionsPostponed > 0 ? postponements + 1 : 0
        if postponements > 0, postponements.isMultiple(of: Self.postponementsTolerated) {
          logger.warning("receipt partitions cannot be created or dropped", metadata: metadata(pruned))
        }
      } catch {
        if Task.isCancelled { return }
        failures += 1
        logger.log(
          level: failures.isMultiple(of: Self.failuresTolerated) ? .warning : .debug,
          "pruning failed", metadata: ["error": "\(error)"])
      }
    }
  }

  /// The counts of a round that are not zero.
  private func metadata(_ pruned: JobPruner.Summary) -> Logger.Metadata {
    let counts = [
      ("partitions_created", pruned.partitionsCreated), ("partitions_dropped", pruned.partitionsDropped),
      ("partitions_postponed", pruned.partitionsPostponed), ("receipts", pruned.receipts),
      ("dead_letters", pruned.deadLetters), ("start_markers", pruned.startMarkers), ("audit", pruned.auditRows),
    ]
    return Logger.Metadata(
      uniqueKeysWithValues: counts.filter { $0.1 > 0 }.map { ($0.0, Logger.MetadataValue.stringConvertible($0.1)) })
  }
}
