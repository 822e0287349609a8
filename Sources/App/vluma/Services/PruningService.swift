import JobsPostgres
import Logging

/// Prunes the store every ten minutes; of all processes that do, one at a time.
struct PruningService: Sendable {
  let pruner: JobPruner
  let logger: Logger

  /// Seconds between two rounds, drawn so that processes that were started together come apart.
  private static let interval = 480.0...720.0
  /// Between two rounds while more is left.
  private static let pause = Duration.seconds(1)
  /// Rounds in a row that fail before there is a warning: an hour.
  private static let failuresTolerated = 6
  /// Rounds in a row in which a partition has to wait before there is a warning: a day, of the fortnight for which
  /// there are partitions.
  private static let postponementsTolerated = 144

  /// Prunes until the task is cancelled.
  func run() async {
    var pause = Duration.seconds(Double.random(in: 0...60))
    var (failures, postponements) = (0, 0)
    while !Task.isCancelled {
      do {
        try await Task.sleep(for: pause)
        pause = .seconds(Double.random(in: Self.interval))
        let pruned = try await pruner.prune()
        failures = 0
        if pruned.wasSkipped { continue }
        if pruned.hasMore { pause = Self.pause }
        if pruned.hasChanges { logger.info("the store was pruned", metadata: metadata(pruned)) }
        postponements = pruned.partitionsPostponed > 0 ? postponements + 1 : 0
        if postponements > 0, postponements.isMultiple(of: Self.postponementsTolerated) {
          logger.warning("partitions of receipts can be neither made nor dropped", metadata: metadata(pruned))
        }
      } catch {
        if Task.isCancelled { return }
        failures += 1
        logger.log(
          level: failures.isMultiple(of: Self.failuresTolerated) ? .warning : .debug,
          "the store cannot be pruned now", metadata: ["error": "\(error)"])
      }
    }
  }

  /// What there is to tell of a round; what is zero is left out.
  private func metadata(_ pruned: JobPruner.Summary) -> Logger.Metadata {
    let counts = [
      ("partitions_made", pruned.partitionsCreated), ("partitions_dropped", pruned.partitionsDropped),
      ("partitions_postponed", pruned.partitionsPostponed), ("receipts", pruned.receipts),
      ("dead_letters", pruned.deadLetters), ("start_markers", pruned.startMarkers), ("audit", pruned.auditRows),
    ]
    return Logger.Metadata(
      uniqueKeysWithValues: counts.filter { $0.1 > 0 }.map { ($0.0, Logger.MetadataValue.stringConvertible($0.1)) })
  }
}
