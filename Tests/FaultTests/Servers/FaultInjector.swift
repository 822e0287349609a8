import Foundation
import Glibc
import TestPlatform
import TestServers

/// Injects faults into one run's processes and servers, and the connections between them.
final class FaultInjector: Sendable {
  /// What came of the faults.
  struct Outcome: Sendable {
    /// Processes that had no descriptors left and ended.
    var ended = 0
    /// Jobs in the queues that were purged, at least.
    var purgedJobs = 0
    /// How often each pool's queue was purged.
    var purges: [String: Int] = [:]
    var lastPurge = ContinuousClock.now
    var violations: [String] = []

    var mostPurgesOfAPool: Int { purges.values.max() ?? 0 }
  }

  let platform: Platform
  let servers: PrivateServers
  let nodes: FaultNodes
  private let proxies: FaultProxies
  private let clocks: SkewedClocks?
  let results = Locked(Outcome())
  /// What lasts until the end of its fault, or of the run.
  let limits = Locked<[Int?: DescriptorLimit]>([:])
  let disks = Locked<[FullDisk]>([])
  let readers = Locked<[StuckReader]>([])
  let clients = Locked<SlowClients?>(nil)
  let cancelling = Locked<Task<Void, Never>?>(nil)

  /// - Parameter clocks: nil: no clock is set wrong.
  init(_ platform: Platform, _ servers: PrivateServers, _ proxies: FaultProxies, clocks: SkewedClocks?) {
    self.platform = platform
    self.servers = servers
    self.proxies = proxies
    self.clocks = clocks
    nodes = FaultNodes(platform, clocks: clocks)
  }

  /// The address of ingest; it changes with each restart.
  var address: String { nodes.address }

  var outcome: Outcome { results.value }

  func start() async throws { for node in FaultNodes.all { try await nodes.start(node) } }

  func begin(_ fault: Fault) async throws {
    switch fault {
    case .killWorker(let number): nodes.send(SIGKILL, to: number)
    case .stopWorker(let number): nodes.send(SIGSTOP, to: number)
    case .killIngest: nodes.send(SIGKILL, to: nil)
    case .stopIngest: nodes.send(SIGSTOP, to: nil)
    case .gracefulRestart(let number): try await nodes.stopGracefully(number)
    case .scale(let pool, let size, _): try await command("scale", pools[pool], "\(size)")
    case .clockJump(let worker, let hours): try clocks?.set(FaultNodes.name(worker), ahead: hours)
    case .killServer(let server): try await servers.run("kill", server.rawValue)
    case .emptyRedis: try await servers.emptyRedis()
    case .memoryAlarm: try await servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
    case .diskAlarm: try await servers.rabbitmqctl("set_disk_free_limit", "100000GB")
    case .cutConnections(let server): proxies[server].cutAll()
    case .delay(let server, let milliseconds): proxies[server].delay(.milliseconds(milliseconds))
    case .halfOpen(let server): proxies[server].blackhole()
    case .throttle(let server, let rate): proxies[server].throttle(bytesPerSecond: rate)
    case .nofile(let worker, let spare, let server):
      try await lowerLimit(worker, spare: spare)
      proxies[server].cutAll()
    case .fullLogDisk(let worker): try await restartWithFullDisk(worker)
    case .stuckReader(let worker): try await restartWithStuckReader(worker)
    case .slowClients(let count): try startSlowClients(count)
    case .purgedQueue(let pool): try await command("pause", pools[pool])
    case .statementTimeout(let milliseconds, let cancels): try await limitStatements(milliseconds, cancels: cancels)
    case .frozenPostgres: try await servers.run("freeze", FaultServer.postgres.rawValue)
    case .fullPostgresDisk(let stops): try await servers.fillPostgresDisk(stops: stops)
    }
  }

  /// Ends a fault and repairs its damage.
  func end(_ fault: Fault) async throws {
    switch fault {
    case .killWorker(let number), .gracefulRestart(let number): try await nodes.start(number)
    case .stopWorker(let number): nodes.send(SIGCONT, to: number)
    case .killIngest: try await nodes.start(nil)
    case .stopIngest: nodes.send(SIGCONT, to: nil)
    case .clockJump(let worker, _): try clocks?.set(FaultNodes.name(worker), ahead: 0)
    case .killServer(let server): try await servers.run("start", server.rawValue)
    // As scripts/services sets them.
    case .memoryAlarm: try await servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "2GB")
    case .diskAlarm: try await servers.rabbitmqctl("set_disk_free_limit", "50MB")
    case .delay(let server, _), .halfOpen(let server), .throttle(let server, _): proxies[server].restore()
    case .scale, .emptyRedis, .cutConnections: break
    case .nofile(let worker, _, _):
      clients.change { $0.take() }?.stop()
      await limits.change { $0.removeValue(forKey: worker) }?.restore()
      // A process that was just ended by it is still seen as running for a moment.
      try await Task.sleep(for: .milliseconds(200))
    case .fullLogDisk: for disk in disks.value { disk.free() }
    case .stuckReader: for reader in readers.value { reader.read() }
    case .slowClients: clients.change { $0.take() }?.stop()
    case .purgedQueue(let pool): try await purge(pools[pool])
    case .statementTimeout: try await liftStatementLimit()
    case .frozenPostgres: try await servers.run("thaw", FaultServer.postgres.rawValue)
    case .fullPostgresDisk: try await servers.freePostgresDisk()
    }
  }

  /// Ends what outlasts the faults' steps.
  func stop() async {
    clients.change { $0.take() }?.stop()
    cancelling.change { $0.take() }?.cancel()
    for reader in readers.value { reader.close() }
    for disk in disks.value { await disk.remove() }
  }
}
