/// A kind of fault; `scripts/faults` counts them by name.
enum FaultKind: String, CaseIterable, Sendable {
  case killWorker, stopWorker, killIngest, stopIngest, gracefulRestart, scaleUp, scaleDown, clockJump
  case killRabbitMQ, killPostgres, killRedis, emptyRedis, memoryAlarm, diskAlarm
  case cutConnections, delay, halfOpen, throttle

  /// How often it is drawn, relative to the others.
  var weight: Int {
    switch self {
    case .killWorker, .stopWorker: 3
    case .cutConnections, .halfOpen, .killRabbitMQ, .killPostgres: 2
    default: 1
    }
  }

  static func draw(_ random: inout FaultRandom) -> FaultKind {
    let kinds = allCases.flatMap { Array(repeating: $0, count: $0.weight) }
    return random.pick(kinds)
  }
}
