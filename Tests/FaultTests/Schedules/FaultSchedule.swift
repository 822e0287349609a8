/// One step of a run: so many customers are answered, then something goes wrong for a while.
struct FaultStep: Sendable, Equatable {
  /// How long it goes wrong: by the work where work goes on meanwhile, else by the clock.
  enum Length: Sendable, Equatable {
    case moment
    case answers(Int)
    case milliseconds(Int)
  }

  /// How many customers are answered before.
  let after: Int
  /// What goes wrong: one thing, or a server's trouble and in its midst a process.
  let faults: [Fault]
  let lasts: Length

  /// Draws a step that lasts no longer than `longest` milliseconds.
  fileprivate init(_ dice: inout FaultRandom, longest: Int) {
    after = dice.roll(3...25)
    let first = Fault(FaultKind.draw(&dice), &dice)
    let length = Self.length(of: first, &dice)
    let companion = Fault(dice.pick([.killWorker, .stopWorker, .killIngest, .gracefulRestart]), &dice)
    let both = FaultStep.Length.milliseconds(dice.roll(10...50) * 100)
    let isPair = dice.percent(25) && first.targetsServer
    faults = isPair ? [first, companion] : [first]
    if case .milliseconds(let milliseconds) = isPair ? both : length {
      lasts = .milliseconds(min(milliseconds, longest))
    } else {
      lasts = length
    }
  }

  /// Mostly a few seconds. Some outlast a node's lease (4 s), a customer's patience (10 s) or, rarely, two heartbeats
  /// of the broker's connections (2 x 10 s): then the jobs of one that is only stopped are somebody else's.
  private static func length(of fault: Fault, _ dice: inout FaultRandom) -> Length {
    let luck = dice.roll(1...100)
    let tenths = dice.roll(0...20)
    let answers = dice.roll(5...30)
    switch fault {
    case .emptyRedis, .cutConnections, .scale, .gracefulRestart: return .moment
    case .killWorker, .killServer(.redis), .delay, .clockJump: return .answers(answers)
    case .killIngest: return .milliseconds(tenths * 100)
    case .stopWorker, .halfOpen:
      let first = luck <= 60 ? 1_000 : luck <= 92 ? 5_000 : 24_000
      return .milliseconds(first + tenths * 100)
    case .stopIngest: return .milliseconds((luck <= 80 ? 1_000 : 11_000) + tenths * 100)
    case .killServer: return .milliseconds((luck <= 85 ? 500 : 10_000) + tenths * 200)
    case .memoryAlarm, .diskAlarm, .throttle: return .milliseconds(1_000 + tenths * 200)
    }
  }
}

/// What goes wrong in one run, and when: the same for a seed wherever it is drawn.
struct FaultSchedule: Sendable, Equatable {
  let seed: UInt64
  let steps: [FaultStep]

  /// Draws a schedule; with fewer steps it is the beginning of the longer one. No step outlasts `longest` milliseconds.
  init(seed: UInt64, steps count: Int, longest: Int = .max) {
    var dice = FaultRandom(seed: seed)
    var steps: [FaultStep] = []
    for _ in 0..<count { steps.append(FaultStep(&dice, longest: longest)) }
    self.seed = seed
    self.steps = steps
  }

  /// All faults in order.
  var faults: [Fault] { steps.flatMap(\.faults) }

  /// How many faults there are of each kind, in the order of the kinds.
  var counts: [(kind: FaultKind, count: Int)] {
    FaultKind.allCases.compactMap { kind in
      let count = faults.count { $0.kind == kind }
      return count == 0 ? nil : (kind: kind, count: count)
    }
  }

  /// The longest step by the clock, in whole seconds.
  var longestSeconds: Int {
    steps.reduce(0) { longest, step in
      if case .milliseconds(let milliseconds) = step.lasts { max(longest, milliseconds / 1_000 + 1) } else { longest }
    }
  }

  /// How often jobs were torn out of a worker's hands, so that they may be suspected of killing workers.
  var redeliveryFaultCount: Int {
    faults.count { fault in
      switch fault {
      case .killWorker, .killServer(.rabbitmq), .cutConnections(.rabbitmq), .halfOpen(.rabbitmq): true
      case .stopWorker: longestSeconds > 20
      default: false
      }
    }
  }
}

extension FaultStep: CustomStringConvertible {
  var description: String {
    let what = faults.map(\.description).joined(separator: " + ")
    let length =
      switch lasts {
      case .moment: ""
      case .answers(let count): " for \(count) answers"
      case .milliseconds(let milliseconds): " for \(milliseconds / 1_000).\(milliseconds % 1_000 / 100) s"
      }
    return "after \(after) answers: \(what)\(length)"
  }
}

extension FaultSchedule: CustomStringConvertible {
  var description: String { (["seed \(seed)"] + steps.map { "  \($0)" }).joined(separator: "\n") }
}
