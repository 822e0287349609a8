import Foundation

/// Which runs to do: the short ones of every `scripts/test`, or those of `scripts/faults`.
enum FaultRunOptions {
  private static func number(_ variable: String) -> UInt64? {
    ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
  }

  /// True where `scripts/faults` asks, by VLUMA_FAULT_RUNS, and not for short runs, by VLUMA_FAULT_SHORT.
  static let isLong = number("VLUMA_FAULT_RUNS") != nil && number("VLUMA_FAULT_SHORT") == nil

  /// Where the lines of finished runs are added, by VLUMA_FAULT_LOG; nil: nowhere.
  static let log = ProcessInfo.processInfo.environment["VLUMA_FAULT_LOG"]

  /// The seeds, each a run.
  static let seeds: [UInt64] = {
    guard let runs = number("VLUMA_FAULT_RUNS") else { return usualSeeds }
    let first = number("VLUMA_FAULT_SEED") ?? 1
    return (0..<runs).map { first &+ $0 }
  }()

  /// Short runs that have every kind of fault between them, and none that lasts.
  static let usualSeeds: [UInt64] = [19567, 12740, 11525, 2533]

  /// The seeds of runs on a cluster: two that every `scripts/test` has, or as many as `scripts/faults --cluster` asks
  /// for.
  static let clusterSeeds: [UInt64] = {
    guard let runs = number("VLUMA_CLUSTER_RUNS") else { return usualClusterSeeds }
    let first = number("VLUMA_FAULT_SEED") ?? 1
    return (0..<runs).map { first &+ $0 }
  }()

  /// Between them a leader and a follower are killed, and a leader and a follower are cut off.
  static let usualClusterSeeds: [UInt64] = [25, 42]

  /// When no further run begins, by VLUMA_FAULT_MINUTES, counted from the first one; nil: after all seeds.
  private static let end = number("VLUMA_FAULT_MINUTES").map { ContinuousClock.now + .seconds(Int64($0) * 60) }

  /// True when no further run begins.
  static var isOver: Bool { end.map { $0 <= .now } ?? false }

  /// The schedule of a seed.
  static func schedule(_ seed: UInt64) -> FaultSchedule {
    isLong ? FaultSchedule(seed: seed, steps: 10) : FaultSchedule(seed: seed, steps: 5, longest: 5_000)
  }
}
