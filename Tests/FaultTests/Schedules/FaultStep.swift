/// One step of a run: after some answered customers, one or two faults for a while.
struct FaultStep: Sendable, Equatable {
  /// How long a fault lasts: in answers where work continues meanwhile, otherwise in time.
  enum Length: Sendable, Equatable {
    case moment
    case answers(Int)
    case milliseconds(Int)
  }

  /// How many customers are answered before the faults.
  let after: Int
  /// One fault, or a fault of a server and one of a process.
  let faults: [Fault]
  let lasts: Length

  /// Faults of processes that may come together with one of a server: they do not need the server to begin.
  private static let companions: [FaultKind] = [
    .killWorker, .stopWorker, .killIngest, .gracefulRestart, .nofile, .slowClients,
  ]

  /// Draws a step that lasts no longer than `longest` milliseconds.
  init(_ random: inout FaultRandom, longest: Int) {
    after = random.roll(3...25)
    let first = Fault(FaultKind.draw(&random), &random)
    let length = Self.length(of: first, &random)
    let companion = Fault(random.pick(Self.companions), &random)
    let both = FaultStep.Length.milliseconds(random.roll(10...50) * 100)
    // Jobs that ingest has not recorded when it is killed are lost with their queue: that is documented, and no fault.
    let isPair = random.percent(25) && first.targetsServer && first.kind != .purgedQueue
    faults = isPair ? [first, companion] : [first]
    if case .milliseconds(let milliseconds) = isPair ? both : length {
      lasts = .milliseconds(min(milliseconds, longest))
    } else {
      lasts = length
    }
  }

  /// Whether ingest must serve while the faults last: where they are its clients' alone.
  var isServedMeanwhile: Bool { faults.allSatisfy { $0.kind == .slowClients } }

  private init(after: Int, faults: [Fault], lasts: Length) {
    (self.after, self.faults, self.lasts) = (after, faults, lasts)
  }

  func replacing(_ kind: FaultKind, with other: Fault) -> FaultStep {
    FaultStep(after: after, faults: faults.map { $0.kind == kind ? other : $0 }, lasts: lasts)
  }

  /// Mostly a few seconds. Some outlast a node's lease (4 s), a client's timeout (10 s) or, rarely, two heartbeats of
  /// the broker's connections (2 x 10 s): then the jobs of a stopped process are redelivered to another one.
  private static func length(of fault: Fault, _ random: inout FaultRandom) -> Length {
    let luck = random.roll(1...100)
    let tenths = random.roll(0...20)
    let answers = random.roll(5...30)
    switch fault {
    case .emptyRedis, .cutConnections, .scale, .gracefulRestart: return .moment
    case .killWorker, .killServer(.redis), .delay, .clockJump: return .answers(answers)
    case .killIngest: return .milliseconds(tenths * 100)
    case .stopWorker, .halfOpen:
      let first = luck <= 60 ? 1_000 : luck <= 92 ? 5_000 : 24_000
      return .milliseconds(first + tenths * 100)
    case .stopIngest: return .milliseconds((luck <= 80 ? 1_000 : 11_000) + tenths * 100)
    case .killServer: return .milliseconds((luck <= 85 ? 500 : 10_000) + tenths * 200)
    case .memoryAlarm, .diskAlarm, .throttle, .nofile, .statementTimeout: return .milliseconds(1_000 + tenths * 200)
    case .fullLogDisk, .stuckReader, .purgedQueue: return .milliseconds(1_000 + tenths * 100)
    case .slowClients, .fullPostgresDisk: return .milliseconds(2_000 + tenths * 150)
    case .frozenPostgres:
      let first = luck <= 60 ? 1_000 : luck <= 92 ? 5_000 : 12_000
      return .milliseconds(first + tenths * 100)
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
