import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import WhatsAppSandbox

/// One run: servers and processes of its own, load, the faults of a schedule, and the reconciliation.
struct FaultRun {
  private(set) var schedule: FaultSchedule
  /// Whether the WhatsApp sandbox fails at random as well; messages then take half a minute longer.
  let hasUnreliableProvider: Bool

  init(schedule: FaultSchedule, hasUnreliableProvider: Bool) {
    self.schedule = schedule
    self.hasUnreliableProvider = hasUnreliableProvider
  }

  /// Runs, prints and logs one line, and returns the report; a platform that does not become idle is a violation.
  func run() async -> FaultReport {
    print(schedule)
    fflush(nil)
    let start = ContinuousClock.now
    let needsSmallDisk = schedule.faults.contains { $0.kind == .fullPostgresDisk }
    var report = FaultReport(
      seed: schedule.seed, faults: schedule.counts.map { (kind: $0.kind.rawValue, count: $0.count) })
    do {
      let megabytes = needsSmallDisk ? PrivateServers.smallDiskMegabytes : nil
      try await PrivateServers.with(postgresMegabytes: megabytes) { (servers) async throws in
        var run = self
        if needsSmallDisk, !(await servers.hasSmallDisk()) {
          print("PostgreSQL cannot have a small disk here: seed \(schedule.seed) kills it instead of filling its disk")
          run.schedule = schedule.replacing(.fullPostgresDisk, with: .killServer(.postgres))
          report.faults = run.schedule.counts.map { (kind: $0.kind.rawValue, count: $0.count) }
        }
        let proxies = try FaultProxies(servers)
        defer { proxies.stop() }
        try await Platform.with(run.setup(servers, proxies)) { (platform) async throws in
          try await run.play(on: platform, servers, proxies, &report)
        }
      }
    } catch { report.violations.append("\(error)") }
    report.seconds = Int((ContinuousClock.now - start) / .seconds(1))
    report.publish()
    return report
  }

  private func setup(_ servers: PrivateServers, _ proxies: FaultProxies) -> Platform.Setup {
    var setup = Platform.Setup()
    setup.rabbitMQ = servers.rabbitMQ
    setup.rabbitMQProxy = proxies[.rabbitmq]
    setup.postgres = servers.postgres
    setup.postgresProxy = proxies[.postgres]
    setup.redis = servers.redis
    setup.redisProxy = proxies[.redis]
    setup.rate = "1000/s"
    // A stopped process may hold a status: messages in doubt must wait until it can have been processed.
    setup.inDoubtSeconds = max(20, schedule.longestSeconds + 15)
    if schedule.faults.contains(.purgedQueue(pool: Fault.inboundPool)) {
      // Webhooks can be put back where their bodies are recorded. The statuses among them come late.
      (setup.record, setup.inDoubtSeconds) = ("bodies", 150)
    }
    setup.sandbox = .quick
    setup.sandbox?.seed = schedule.seed
    if hasUnreliableProvider {
      setup.sandbox?.faults = ["4%:refuse:131000", "1%:cut-before", "1%:cut-after", "2%:refuse:131047"]
        .compactMap { SandboxFault($0) }
    }
    return setup
  }

  private func play(
    on platform: Platform, _ servers: PrivateServers, _ proxies: FaultProxies, _ report: inout FaultReport
  ) async throws {
    let jumps = schedule.faults.contains { $0.kind == .clockJump }
    let clocks = try await jumps ? SkewedClocks() : nil
    defer { clocks?.remove() }
    let injector = FaultInjector(platform, servers, proxies, clocks: clocks)
    do {
      try await injector.start()
      try await play(on: platform, injector, rabbitMQ: servers.rabbitMQ, &report)
      await injector.stop()
    } catch {
      await injector.stop()
      throw error
    }
  }

  private func play(
    on platform: Platform, _ injector: FaultInjector, rabbitMQ: ServerURL, _ report: inout FaultReport
  ) async throws {
    let load = BookingLoad(platform, interval: .milliseconds(100)) { injector.address }
    let webhooks = try WebhookLoad(platform, interval: .milliseconds(150)) { injector.address }
    let workers = Locked<[Duration]>([])
    let broker = Locked<[Duration]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for customer in 0..<4 { group.addTask { try await load.customer(customer) } }
      for _ in 0..<2 { group.addTask { try await webhooks.post() } }
      for step in schedule.steps {
        try await load.waitForAnswers(more: step.after)
        let accepted = load.result.accepted
        let begin = ContinuousClock.now
        for fault in step.faults { try await injector.begin(fault) }
        if step.faults.map(\.kind) == [.killWorker] {
          group.addTask {
            if await Self.haveEnded(accepted, on: platform) {
              workers.change { $0.append(ContinuousClock.now - begin) }
            }
          }
        }
        try await pass(step.lasts, load)
        if step.isServedMeanwhile { try await load.waitForAnswers(more: 1) }
        // Servers first: a process that is started needs them.
        for fault in step.faults where fault.targetsServer { try await injector.end(fault) }
        let back = ContinuousClock.now
        for fault in step.faults where !fault.targetsServer { try await injector.end(fault) }
        try await injector.checkProcesses(after: step)
        if step.faults.map(\.kind) == [.killRabbitMQ] {
          try await load.waitForAnswers(more: 1)
          broker.change { $0.append(ContinuousClock.now - back) }
        }
      }
      try await load.waitForAnswers(more: 10)
      load.stop()
      webhooks.stop()
      try await group.waitForAll()
    }
    report.workerRecovery = workers.value.max()
    report.brokerRecovery = broker.value.max()
    let waiter = QuiescenceWaiter(platform: platform, rabbitMQ: rabbitMQ)
    let restorer = PurgeRestorer(platform: platform)
    var known = injector.outcome.lastPurge
    for _ in 0..<injector.outcome.mostPurgesOfAPool {
      report.putBack += try await restorer.putBack(after: known)
      known = .now
    }
    report.dead = try await waiter.waitForQuiescence(retryingCrashed: schedule.redeliveryFaultCount >= 3)
    try await report.reconcile(load, webhooks, on: platform)
    try await injector.checkProcesses(after: nil)
    (report.ended, report.purged) = (injector.outcome.ended, injector.outcome.purgedJobs)
    report.violations += injector.outcome.violations
  }

  private func pass(_ length: FaultStep.Length, _ load: BookingLoad) async throws {
    switch length {
    case .moment: return
    case .answers(let count): try await load.waitForAnswers(more: count)
    case .milliseconds(let milliseconds): try await Task.sleep(for: .milliseconds(milliseconds))
    }
  }

  /// Waits until the bookings are final; false: that takes more than a minute.
  private static func haveEnded(_ bookings: Set<UUID>, on platform: Platform) async -> Bool {
    let ids = Array(bookings)
    do {
      try await eventually(within: .seconds(60), every: .milliseconds(50), "the bookings have ended") {
        let ended = try? await platform.number(
          "SELECT count(*) FROM bookings.booking WHERE id = ANY(\(ids)::uuid[]) AND status <> 'validating'")
        return ended == ids.count
      }
      return true
    } catch { return false }
  }
}
