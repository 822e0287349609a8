import Foundation
import Glibc
import TestPlatform
import TestServers
import Testing
import WhatsAppSandbox

/// Three RabbitMQ nodes of which one is killed or partitioned: the other two have the majority of every queue, and
/// bookings and webhooks continue.
@Suite(.serialized, .timeLimit(.minutes(12)))
struct ClusterTests {
  @Test(arguments: FaultRunOptions.clusterSeeds)
  func `with a node killed or cut off, the leader of the queues too, work goes on and nothing is lost`(
    seed: UInt64
  ) async throws {
    if FaultRunOptions.isOver { return }
    let schedule = ClusterSchedule(seed: seed)
    print(schedule)
    fflush(nil)
    let start = ContinuousClock.now
    var report = FaultReport(seed: seed, faults: schedule.counts)
    do {
      try await PrivateCluster.with { (cluster) async throws in
        var setup = Platform.Setup()
        setup.rabbitMQ = cluster.rabbitMQ
        setup.sandbox = .quick
        setup.sandbox?.seed = seed
        setup.rate = "1000/s"
        try await Platform.with(setup) { (platform) async throws in
          try await play(schedule, on: platform, cluster, &report)
        }
      }
    } catch { report.violations.append("\(error)") }
    report.seconds = Int((ContinuousClock.now - start) / .seconds(1))
    report.publish()
    let (isClean, violations) = (report.isClean, report.violations)
    #expect(isClean, "seed \(seed): \(violations)")
  }

  /// Plays a schedule under load, and reconciles the results.
  private func play(
    _ schedule: ClusterSchedule, on platform: Platform, _ cluster: PrivateCluster, _ report: inout FaultReport
  ) async throws {
    let (ingest, address) = try await platform.startIngest()
    let workers = [try await platform.startWorker(), try await platform.startWorker()]
    let load = BookingLoad(platform, interval: .milliseconds(300)) { address }
    let webhooks = try WebhookLoad(platform, interval: .milliseconds(400)) { address }
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for customer in 0..<4 { group.addTask { try await load.customer(customer) } }
        for _ in 0..<2 { group.addTask { try await webhooks.post() } }
        for step in schedule.steps {
          try await load.waitForAnswers(more: 20)
          let leader = try await cluster.leader(of: platform.validatePool)
          let node = (leader - 1 + step.distance) % 3 + 1
          try await cluster.run(step.fault.commands.fault, "\(node)")
          let hit = ContinuousClock.now
          try await load.waitForAnswers(more: 20)
          print("cluster: \(step.fault) of node \(node), leader \(leader): 20 bookings in \(ContinuousClock.now - hit)")
          try await Task.sleep(until: hit + .seconds(step.seconds))
          try await cluster.run(step.fault.commands.repair, "\(node)")
          try await cluster.waitUntilHealthy()
        }
        try await load.waitForAnswers(more: 20)
        load.stop()
        webhooks.stop()
        try await group.waitForAll()
      }
    } catch {
      print("ingest printed:\n\(ingest.output.suffix(6_000))")
      for n in 1...3 { print("node \(n):", (try? await cluster.run("log", "\(n)")) ?? "") }
      throw error
    }
    report.dead = try await QuiescenceWaiter(platform: platform, rabbitMQ: cluster.rabbitMQ).waitForQuiescence(
      retryingCrashed: false)
    try await report.reconcile(load, webhooks, on: platform)
    if !ingest.isRunning || !workers.allSatisfy(\.isRunning) {
      report.violations.append("a process has ended unexpectedly")
    }
  }
}
