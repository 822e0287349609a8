/// A fault of the platform or its servers. Workers are counted from 0.
enum Fault: Sendable, Equatable {
  case killWorker(Int)
  case stopWorker(Int)
  case killIngest
  case stopIngest
  case gracefulRestart(Int)
  /// Sets the size of a pool, given by its index.
  case scale(pool: Int, size: Int, isUp: Bool)
  /// Sets a node's clock wrong; nil: the clock of ingest.
  case clockJump(worker: Int?, hours: Int)
  case killServer(FaultServer)
  case emptyRedis
  case memoryAlarm
  case diskAlarm
  case cutConnections(FaultServer)
  case delay(FaultServer, milliseconds: Int)
  case halfOpen(FaultServer)
  case throttle(FaultServer, bytesPerSecond: Int)

  static let workers = 2
  static let pools = 5

  /// Draws the target and the strength of a fault of this kind. Every fault draws the same numbers, so that later steps
  /// do not depend on its kind.
  init(_ kind: FaultKind, _ random: inout FaultRandom) {
    let worker = random.roll(0...(Self.workers - 1))
    let server = random.pick(FaultServer.allCases)
    let pool = random.roll(0...(Self.pools - 1))
    let strength = random.roll(0...99)
    switch kind {
    case .killWorker: self = .killWorker(worker)
    case .stopWorker: self = .stopWorker(worker)
    case .killIngest: self = .killIngest
    case .stopIngest: self = .stopIngest
    case .gracefulRestart: self = .gracefulRestart(worker)
    case .scaleUp: self = .scale(pool: pool, size: 3 + strength % 6, isUp: true)
    case .scaleDown: self = .scale(pool: pool, size: 1, isUp: false)
    case .clockJump: self = .clockJump(worker: strength < 70 ? worker : nil, hours: strength.isMultiple(of: 2) ? 1 : -1)
    case .killRabbitMQ: self = .killServer(.rabbitmq)
    case .killPostgres: self = .killServer(.postgres)
    case .killRedis: self = .killServer(.redis)
    case .emptyRedis: self = .emptyRedis
    case .memoryAlarm: self = .memoryAlarm
    case .diskAlarm: self = .diskAlarm
    case .cutConnections: self = .cutConnections(server)
    case .delay: self = .delay(server, milliseconds: 10 + strength * 2)
    case .halfOpen: self = .halfOpen(server)
    case .throttle: self = .throttle(server, bytesPerSecond: 4_000 + strength * 400)
    }
  }

  var kind: FaultKind {
    switch self {
    case .killWorker: .killWorker
    case .stopWorker: .stopWorker
    case .killIngest: .killIngest
    case .stopIngest: .stopIngest
    case .gracefulRestart: .gracefulRestart
    case .scale(_, _, let isUp): isUp ? .scaleUp : .scaleDown
    case .clockJump: .clockJump
    case .killServer(.rabbitmq): .killRabbitMQ
    case .killServer(.postgres): .killPostgres
    case .killServer(.redis): .killRedis
    case .emptyRedis: .emptyRedis
    case .memoryAlarm: .memoryAlarm
    case .diskAlarm: .diskAlarm
    case .cutConnections: .cutConnections
    case .delay: .delay
    case .halfOpen: .halfOpen
    case .throttle: .throttle
    }
  }

  /// True for faults of servers or of connections to them, false for those of the platform's processes.
  var targetsServer: Bool {
    switch self {
    case .killWorker, .stopWorker, .killIngest, .stopIngest, .gracefulRestart, .scale, .clockJump: false
    default: true
    }
  }
}

extension Fault: CustomStringConvertible {
  var description: String {
    switch self {
    case .killWorker(let worker): "SIGKILL worker \(worker)"
    case .stopWorker(let worker): "SIGSTOP worker \(worker)"
    case .killIngest: "SIGKILL ingest"
    case .stopIngest: "SIGSTOP ingest"
    case .gracefulRestart(let worker): "SIGTERM worker \(worker)"
    case .scale(let pool, let size, _): "scale pool \(pool) to \(size)"
    case .clockJump(.some(let worker), let hours): "clock of worker \(worker) \(hours > 0 ? "+" : "")\(hours) h"
    case .clockJump(.none, let hours): "clock of ingest \(hours > 0 ? "+" : "")\(hours) h"
    case .killServer(let server): "kill \(server.rawValue)"
    case .emptyRedis: "empty redis"
    case .memoryAlarm: "memory alarm"
    case .diskAlarm: "disk alarm"
    case .cutConnections(let server): "cut \(server.rawValue)"
    case .delay(let server, let milliseconds): "delay \(server.rawValue) by \(milliseconds) ms"
    case .halfOpen(let server): "blackhole \(server.rawValue)"
    case .throttle(let server, let bytes): "throttle \(server.rawValue) to \(bytes) B/s"
    }
  }
}
