/// A fault of the platform or its servers. Workers are counted from 0; where a fault is one of a worker or of ingest,
/// nil means ingest.
enum Fault: Sendable, Equatable {
  case killWorker(Int)
  case stopWorker(Int)
  case killIngest
  case stopIngest
  case gracefulRestart(Int)
  /// Sets the size of a pool, given by its index.
  case scale(pool: Int, size: Int, isUp: Bool)
  /// Sets a node's clock wrong.
  case clockJump(worker: Int?, hours: Int)
  case killServer(FaultServer)
  case emptyRedis
  case memoryAlarm
  case diskAlarm
  case cutConnections(FaultServer)
  case delay(FaultServer, milliseconds: Int)
  case halfOpen(FaultServer)
  case throttle(FaultServer, bytesPerSecond: Int)
  /// Lowers a process' limit of descriptors to `spare` more than it has open, or fewer where that is negative, and cuts
  /// connections, which it must open again; ingest also gets some more clients. It may die of that, and is started
  /// again.
  case nofile(worker: Int?, spare: Int, cuts: FaultServer)
  /// Starts a process anew with its log on a full disk.
  case fullLogDisk(worker: Int?)
  /// Starts a process anew with its log in a pipe that nobody reads.
  case stuckReader(worker: Int?)
  /// Clients of ingest that are slow, silent, or read nothing.
  case slowClients(Int)
  /// Pauses a pool, given by its index, and at the end purges its queue and resumes it.
  case purgedQueue(pool: Int)
  /// PostgreSQL cancels every statement that takes longer; with `cancels`, also what runs at the moment, again and
  /// again.
  case statementTimeout(milliseconds: Int, cancels: Bool)
  case frozenPostgres
  /// PostgreSQL's disk is full; with `stops`, so is its log (WAL), which ends it.
  case fullPostgresDisk(stops: Bool)

  static let workers = 2
  static let pools = 5
  /// The pool of webhooks.
  static let inboundPool = 3

  /// Draws the target and the strength of a fault of this kind. Every fault draws the same numbers, so that later steps
  /// do not depend on its kind.
  init(_ kind: FaultKind, _ random: inout FaultRandom) {
    let worker = random.roll(0...(Self.workers - 1))
    let server = random.pick(FaultServer.allCases)
    let pool = random.roll(0...(Self.pools - 1))
    let strength = random.roll(0...99)
    let node = strength < 70 ? worker : nil
    switch kind {
    case .killWorker: self = .killWorker(worker)
    case .stopWorker: self = .stopWorker(worker)
    case .killIngest: self = .killIngest
    case .stopIngest: self = .stopIngest
    case .gracefulRestart: self = .gracefulRestart(worker)
    case .scaleUp: self = .scale(pool: pool, size: 3 + strength % 6, isUp: true)
    case .scaleDown: self = .scale(pool: pool, size: 1, isUp: false)
    case .clockJump: self = .clockJump(worker: node, hours: strength.isMultiple(of: 2) ? 1 : -1)
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
    case .nofile: self = .nofile(worker: node, spare: strength % 10 - 5, cuts: server)
    case .fullLogDisk: self = .fullLogDisk(worker: node)
    case .stuckReader: self = .stuckReader(worker: node)
    case .slowClients: self = .slowClients(100 + strength * 8)
    case .purgedQueue: self = .purgedQueue(pool: pool)
    case .statementTimeout: self = .statementTimeout(milliseconds: 1 + strength / 2, cancels: pool.isMultiple(of: 2))
    case .frozenPostgres: self = .frozenPostgres
    case .fullPostgresDisk: self = .fullPostgresDisk(stops: strength.isMultiple(of: 2))
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
    case .nofile: .nofile
    case .fullLogDisk: .fullLogDisk
    case .stuckReader: .stuckReader
    case .slowClients: .slowClients
    case .purgedQueue: .purgedQueue
    case .statementTimeout: .statementTimeout
    case .frozenPostgres: .frozenPostgres
    case .fullPostgresDisk: .fullPostgresDisk
    }
  }

  /// True for faults of servers or of connections to them, false for those of the platform's processes.
  var targetsServer: Bool {
    switch self {
    case .killWorker, .stopWorker, .killIngest, .stopIngest, .gracefulRestart, .scale, .clockJump: false
    case .nofile, .fullLogDisk, .stuckReader, .slowClients: false
    default: true
    }
  }
}
