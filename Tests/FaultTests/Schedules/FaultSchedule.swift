/// The faults of one run; a seed gives the same ones on every machine.
struct FaultSchedule: Sendable, Equatable {
  let seed: UInt64
  let steps: [FaultStep]

  /// Draws a schedule; one with fewer steps is the beginning of a longer one. No step outlasts `longest` milliseconds.
  init(seed: UInt64, steps count: Int, longest: Int = .max) {
    var random = FaultRandom(seed: seed)
    var steps: [FaultStep] = []
    for _ in 0..<count { steps.append(FaultStep(&random, longest: longest)) }
    self.seed = seed
    self.steps = steps
  }

  private init(seed: UInt64, steps: [FaultStep]) { (self.seed, self.steps) = (seed, steps) }

  /// The same schedule with another fault in place of those of a kind, which cannot be had on this machine.
  func replacing(_ kind: FaultKind, with other: Fault) -> FaultSchedule {
    FaultSchedule(seed: seed, steps: steps.map { $0.replacing(kind, with: other) })
  }

  var faults: [Fault] { steps.flatMap(\.faults) }

  /// The number of faults of each kind, in the order of the kinds.
  var counts: [(kind: FaultKind, count: Int)] {
    FaultKind.allCases.compactMap { kind in
      let count = faults.count { $0.kind == kind }
      return count == 0 ? nil : (kind: kind, count: count)
    }
  }

  /// The longest step with a duration, in whole seconds, rounded up.
  var longestSeconds: Int {
    steps.reduce(0) { longest, step in
      if case .milliseconds(let milliseconds) = step.lasts { max(longest, milliseconds / 1_000 + 1) } else { longest }
    }
  }

  /// The number of faults that make the broker redeliver jobs, which count as possible crashes.
  var redeliveryFaultCount: Int {
    faults.count { fault in
      switch fault {
      case .killWorker, .killServer(.rabbitmq), .cutConnections(.rabbitmq), .halfOpen(.rabbitmq): true
      case .nofile: true
      case .stopWorker: longestSeconds > 20
      default: false
      }
    }
  }
}

extension FaultSchedule: CustomStringConvertible {
  var description: String { (["seed \(seed)"] + steps.map { "  \($0)" }).joined(separator: "\n") }
}
