import Foundation
import Glibc
import Synchronization
import TestPlatform
import TestServers

/// Injects faults into one run's processes and servers, and the connections between them.
final class FaultInjector: Sendable {
  private struct Nodes {
    var ingest: (process: PlatformProcess, address: String)?
    var workers: [PlatformProcess] = []
  }

  private let platform: Platform
  private let servers: PrivateServers
  private let proxies: FaultProxies
  private let clocks: SkewedClocks?
  private let nodes = Mutex(Nodes())

  /// - Parameter clocks: nil: no clock is set wrong.
  init(_ platform: Platform, _ servers: PrivateServers, _ proxies: FaultProxies, clocks: SkewedClocks?) {
    self.platform = platform
    self.servers = servers
    self.proxies = proxies
    self.clocks = clocks
  }

  /// The address of ingest; it changes with each restart.
  var address: String { nodes.withLock { $0.ingest?.address ?? "" } }

  var allProcessesRun: Bool {
    nodes.withLock { $0.ingest?.process.isRunning == true && $0.workers.allSatisfy(\.isRunning) }
  }

  func start() async throws {
    try await startIngest()
    for number in 0..<Fault.workers { try await startWorker(number) }
  }

  func begin(_ fault: Fault) async throws {
    switch fault {
    case .killWorker(let number): worker(number).send(SIGKILL)
    case .stopWorker(let number): worker(number).send(SIGSTOP)
    case .killIngest: nodes.withLock { $0.ingest?.process }?.send(SIGKILL)
    case .stopIngest: nodes.withLock { $0.ingest?.process }?.send(SIGSTOP)
    case .gracefulRestart(let number): try await stopGracefully(number)
    case .scale(let pool, let size, _): try await scale(pool, to: size)
    case .clockJump(let worker, let hours): try clocks?.set(Self.name(worker), ahead: hours)
    case .killServer(let server): try await servers.run("kill", server.rawValue)
    case .emptyRedis: try await servers.emptyRedis()
    case .memoryAlarm: try await servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
    case .diskAlarm: try await servers.rabbitmqctl("set_disk_free_limit", "100000GB")
    case .cutConnections(let server): proxies[server].cutAll()
    case .delay(let server, let milliseconds): proxies[server].delay(.milliseconds(milliseconds))
    case .halfOpen(let server): proxies[server].blackhole()
    case .throttle(let server, let rate): proxies[server].throttle(bytesPerSecond: rate)
    }
  }

  /// Ends a fault and repairs its damage.
  func end(_ fault: Fault) async throws {
    switch fault {
    case .killWorker(let number), .gracefulRestart(let number): try await startWorker(number)
    case .stopWorker(let number): worker(number).send(SIGCONT)
    case .killIngest: try await startIngest()
    case .stopIngest: nodes.withLock { $0.ingest?.process }?.send(SIGCONT)
    case .clockJump(let worker, _): try clocks?.set(Self.name(worker), ahead: 0)
    case .killServer(let server): try await servers.run("start", server.rawValue)
    // As scripts/services sets them.
    case .memoryAlarm: try await servers.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "2GB")
    case .diskAlarm: try await servers.rabbitmqctl("set_disk_free_limit", "50MB")
    case .delay(let server, _), .halfOpen(let server), .throttle(let server, _): proxies[server].restore()
    case .scale, .emptyRedis, .cutConnections: break
    }
  }

  // MARK: Processes

  private func worker(_ number: Int) -> PlatformProcess { nodes.withLock { $0.workers[number] } }

  private static func name(_ worker: Int?) -> String { worker.map { "worker-\($0)" } ?? "ingest" }

  private func startIngest() async throws {
    let ingest = try await startWithRetry("ingest") { [platform, clocks] in
      try await platform.startIngest(overriding: try clocks?.environment(of: Self.name(nil)) ?? [:])
    }
    nodes.withLock { $0.ingest = ingest }
  }

  private func startWorker(_ number: Int) async throws {
    let worker = try await startWithRetry("worker \(number)") { [platform, clocks] in
      try await platform.startWorker(overriding: try clocks?.environment(of: Self.name(number)) ?? [:])
    }
    nodes.withLock { nodes in
      if number < nodes.workers.count { nodes.workers[number] = worker } else { nodes.workers.append(worker) }
    }
  }

  /// Starts a process again where it fails to start, as a supervisor does: a server may still be starting.
  private func startWithRetry<Started>(_ what: String, _ start: () async throws -> Started) async throws -> Started {
    let end = ContinuousClock.now + .seconds(60)
    while true {
      do { return try await start() } catch {
        guard ContinuousClock.now < end, !Task.isCancelled else { throw error }
        print("\(what) did not start and is started again: \(String(describing: error).prefix(200))")
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  /// Kills a process that does not stop in time, as a supervisor does.
  private func stopGracefully(_ number: Int) async throws {
    let worker = worker(number)
    worker.send(SIGTERM)
    do { try await worker.ended(within: .seconds(30)) } catch is TestError {
      print("worker \(number) did not stop within 30 s and is killed")
      worker.send(SIGKILL)
      try await worker.ended()
    }
  }

  private func scale(_ pool: Int, to size: Int) async throws {
    let pools = [
      platform.validatePool, platform.resolvePool, platform.sendPool, platform.inboundPool, platform.rollupPool,
    ]
    let (status, output) = try await platform.command("scale", pools[pool % pools.count], "\(size)")
    guard status == 0 else { throw TestError(description: "vluma scale ended with \(status): \(output)") }
  }
}
