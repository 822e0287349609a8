extension Fault: CustomStringConvertible {
  var description: String {
    switch self {
    case .killWorker(let worker): "SIGKILL worker \(worker)"
    case .stopWorker(let worker): "SIGSTOP worker \(worker)"
    case .killIngest: "SIGKILL ingest"
    case .stopIngest: "SIGSTOP ingest"
    case .gracefulRestart(let worker): "SIGTERM worker \(worker)"
    case .scale(let pool, let size, _): "scale pool \(pool) to \(size)"
    case .clockJump(let worker, let hours): "clock of \(Self.name(worker)) \(hours > 0 ? "+" : "")\(hours) h"
    case .killServer(let server): "kill \(server.rawValue)"
    case .emptyRedis: "empty redis"
    case .memoryAlarm: "memory alarm"
    case .diskAlarm: "disk alarm"
    case .cutConnections(let server): "cut \(server.rawValue)"
    case .delay(let server, let milliseconds): "delay \(server.rawValue) by \(milliseconds) ms"
    case .halfOpen(let server): "blackhole \(server.rawValue)"
    case .throttle(let server, let bytes): "throttle \(server.rawValue) to \(bytes) B/s"
    case .nofile(let worker, let spare, let server):
      "\(spare) spare descriptors for \(Self.name(worker)), cut \(server.rawValue)"
    case .fullLogDisk(let worker): "full log disk of \(Self.name(worker))"
    case .stuckReader(let worker): "stuck log reader of \(Self.name(worker))"
    case .slowClients(let count): "\(count) slow clients"
    case .purgedQueue(let pool): "purge pool \(pool)"
    case .statementTimeout(let milliseconds, let cancels):
      "statement timeout of \(milliseconds) ms\(cancels ? " and cancels" : "")"
    case .frozenPostgres: "freeze postgres"
    case .fullPostgresDisk(let stops): "full disk\(stops ? " and log" : "") of postgres"
    }
  }

  private static func name(_ worker: Int?) -> String { worker.map { "worker \($0)" } ?? "ingest" }
}
