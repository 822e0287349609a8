/// A fault of one broker node.
enum ClusterFault: String, CaseIterable, Sendable {
  case killNode, partitionNode

  /// The commands of `scripts/cluster`.
  var commands: (fault: String, repair: String) {
    switch self {
    case .killNode: (fault: "kill", repair: "start")
    case .partitionNode: (fault: "partition", repair: "heal")
    }
  }
}

/// The faults of one run on a cluster; a seed gives the same ones on every machine.
struct ClusterSchedule: Sendable, Equatable, CustomStringConvertible {
  /// One node fails and is repaired after some seconds.
  struct Step: Sendable, Equatable {
    let fault: ClusterFault
    /// 0: the leader of the queue of bookings; 1 and 2: its followers.
    let distance: Int
    let seconds: Int
  }

  let seed: UInt64
  let steps: [Step]

  /// Draws three steps.
  init(seed: UInt64) {
    var random = FaultRandom(seed: seed)
    var steps: [Step] = []
    for _ in 0..<3 {
      let (fault, distance) = (random.pick(ClusterFault.allCases), random.roll(0...2))
      steps.append(Step(fault: fault, distance: distance, seconds: random.roll(1...15)))
    }
    self.seed = seed
    self.steps = steps
  }

  /// The number of faults of each kind.
  var counts: [(kind: String, count: Int)] {
    ClusterFault.allCases.compactMap { kind in
      let count = steps.count { $0.fault == kind }
      return count == 0 ? nil : (kind: kind.rawValue, count: count)
    }
  }

  var description: String {
    let lines = steps.map { step in
      let node = step.distance == 0 ? "the leader" : "follower \(step.distance)"
      return "  \(step.fault.commands.fault) \(node) for \(step.seconds) s"
    }
    return (["seed \(seed)"] + lines).joined(separator: "\n")
  }
}
