/// A kind of fault; `scripts/faults` counts them by name.
enum FaultKind: String, CaseIterable, Sendable {
  case killWorker, stopWorker, killIngest, stopIngest, gracefulRestart, scaleUp, scaleDown, clockJump
  case killRabbitMQ, killPostgres, killRedis, emptyRedis, memoryAlarm, diskAlarm
  case cutConnections, delay, halfOpen, throttle
  case nofile, fullLogDisk, stuckReader, slowClients, purgedQueue, statementTimeout, frozenPostgres, fullPostgresDisk

  /// How often it is drawn, relative to the others.
  var weight: Int {
    switch self {
    case .killWorker, .stopWorker: 4
    case .cutConnections, .halfOpen, .killRabbitMQ, .killPostgres: 3
    case .fullLogDisk, .stuckReader, .purgedQueue, .statementTimeout, .frozenPostgres, .fullPostgresDisk: 3
    default: 2
    }
  }

  static func draw(_ random: inout FaultRandom) -> FaultKind {
    let kinds = allCases.flatMap { Array(repeating: $0, count: $0.weight) }
    return random.pick(kinds)
  }
}
