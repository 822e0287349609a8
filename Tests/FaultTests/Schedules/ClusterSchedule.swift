/// What befalls a node of the cluster.
enum ClusterFault: String, CaseIterable, Sendable {
  case killNode, partitionNode

  /// What `scripts/cluster` calls it, and what puts it right.
  var commands: (fault: String, repair: String) {
    switch self {
    case .killNode: (fault: "kill", repair: "start")
    case .partitionNode: (fault: "partition", repair: "heal")
    }
  }
}

/// What goes wrong in one run on a cluster: the same for a seed wherever it is drawn.
struct ClusterSchedule: Sendable, Equatable, CustomStringConvertible {
  /// One node is hit, and comes back after a time in which customers are answered without it.
  struct Step: Sendable, Equatable {
    let fault: ClusterFault
    /// 0: the node that leads the queue of bookings; 1 and 2: those that follow it.
    let distance: Int
    let seconds: Int
  }

  let seed: UInt64
  let steps: [Step]

  /// Draws three steps.
  init(seed: UInt64) {
    var dice = FaultRandom(seed: seed)
    var steps: [Step] = []
    for _ in 0..<3 {
      let (fault, distance) = (dice.pick(ClusterFault.allCases), dice.roll(0...2))
      steps.append(Step(fault: fault, distance: distance, seconds: dice.roll(1...15)))
    }
    self.seed = seed
    self.steps = steps
  }

  /// How many faults there are of each kind.
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
