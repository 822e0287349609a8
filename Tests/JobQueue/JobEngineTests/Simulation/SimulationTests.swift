import ClientLoop
import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import Logging
import Synchronization
import Testing

/// The engine on in-memory ports, scheduled in an order that follows from a seed. Nodes crash at any await, the store
/// and the broker become unavailable and lose answers and connections, operators scale and pause. At the end every job
/// has its receipt.
@Suite(.timeLimit(.minutes(5)))
struct SimulationTests {
  /// The result of a simulation: its violations of the promises, and its counts.
  struct Tally: Equatable {
    var violations: [String] = []
    var completed = 0
    var cancelled = 0
    var dead = 0
    var steps = 0
  }

  private struct SimulatedSystem {
    let platform: EnginePlatform
    let jobs: [JobEnvelope]
    let registry: WorkerRegistry<InMemoryTransaction>
    /// Small, so that some jobs do not fit while the store is away.
    let recorder: AcceptedJobRecorder<InMemoryJobStore>

    init(seed: UInt64) throws {
      let inBatches = seed.isMultiple(of: 2)
      platform = EnginePlatform(
        workers: WorkerCounts(min: 1, start: 5, max: 12), timeout: .seconds(5), maxAttempts: 6, maxCrashes: 40,
        batch: inBatches ? BatchConfiguration(size: 4, wait: .milliseconds(10)) : nil)
      registry = SimulatedWorkers.registry(inBatches: inBatches)
      var options = AcceptedJobRecorder<InMemoryJobStore>.Options()
      options.jobsMax = 4
      recorder = AcceptedJobRecorder(
        store: platform.store, options: options, logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() })
      jobs = try (0..<40).map { try JobCodec.envelope(for: EchoJob(name: "\($0)"), tenant: nil) }
    }

    /// Enqueues all jobs, each repeatedly until the broker holds it.
    func load() async throws {
      for job in jobs {
        try await SimulatedWorkers.pause(upTo: 1_000)
        let broker = RecordingBroker(platform.broker, recorder: recorder)
        while await broker.enqueue([OutgoingJob(job, to: .pool(echoJobs))], deadline: TimeSource.now) != [
          .enqueued
        ] { try await SimulatedWorkers.pause(upTo: 500) }
      }
    }

    /// Injects one fault, or ends one.
    func injectFault(_ nodes: inout [SimulatedNode], number: Int) async throws {
      switch SimulatedWorkers.draw(below: 12) {
      case 0, 1, 2:
        let victim = SimulatedWorkers.draw(below: nodes.count)
        await nodes[victim].crash()
        nodes[victim] = SimulatedNode("node \(number)", platform, registry)
      case 3: platform.broker.dropConnection()
      case 4:
        platform.store.isAvailable = false
        try await SimulatedWorkers.pause(upTo: 4_000)
        platform.store.isAvailable = true
      case 5:
        platform.broker.isReady = false
        try await SimulatedWorkers.pause(upTo: 4_000)
        platform.broker.isReady = true
      case 6:
        let call = JobStoreCall.allCases[SimulatedWorkers.draw(below: JobStoreCall.allCases.count)]
        let error = [JobStoreError.inDoubt, .contention, .unavailable("lost")][SimulatedWorkers.draw(below: 3)]
        platform.store.fail(
          next: call, with: error, takesEffect: error == .inDoubt, times: error == .contention ? 30 : 2)
      case 7: platform.broker.fail(next: 3, with: .inDoubt(isEnqueued: SimulatedWorkers.draw(below: 2) == 0))
      case 8: platform.broker.fail(next: 3, with: .unavailable)
      case 9: platform.broker.stall(echoJobs)
      case 10:
        let size = 1 + SimulatedWorkers.draw(below: 12)
        _ = try await platform.directory.change(echoJobs, by: "simulation") { $0.size = size }
      default:
        let isPaused = SimulatedWorkers.draw(below: 2) == 0
        _ = try await platform.directory.change(echoJobs, by: "simulation") {
          $0.pausedKinds = isPaused ? [EchoJob.kind] : []
        }
      }
    }

    func clearFaults() async throws {
      platform.store.isAvailable = true
      platform.broker.isReady = true
      _ = try await platform.directory.change(echoJobs, by: "simulation") { $0 = PoolSetting() }
    }

    /// True when neither the broker nor the store holds a job.
    var isIdle: Bool {
      platform.broker.isEmpty(echoJobs) && platform.broker.isEmpty(followUpJobs) && platform.broker.retries.isEmpty
        && platform.broker.dead(of: echoJobs).isEmpty && platform.broker.unsettledDeadLetterCount(of: echoJobs) == 0
        && platform.store.outbox.isEmpty && platform.store.scheduledJobs.isEmpty
    }

    func tally() -> Tally {
      var tally = Tally()
      let effects = Dictionary(grouping: platform.store.effects) { $0 }.mapValues(\.count)
      for (number, job) in jobs.enumerated() {
        let expected: Int
        switch platform.store.receipt(of: job.jobRun)?.outcome {
        case .completed:
          tally.completed += 1
          expected = 1
        case .cancelled:
          tally.cancelled += 1
          expected = 0
        case .dead:
          tally.dead += 1
          expected = 0
        case nil:
          tally.violations.append("job \(number) is lost")
          continue
        }
        for effect in ["\(number)", "after \(number)"] where effects[effect, default: 0] != expected {
          tally.violations.append("effect \"\(effect)\" happened \(effects[effect, default: 0]) times, not \(expected)")
        }
      }
      if !isIdle { tally.violations.append("jobs are left somewhere") }
      for (pool, flow) in platform.store.flows where flow.open != 0 {
        tally.violations.append("pool \(pool) does not add up: \(flow)")
      }
      if !platform.store.acceptedJobs.isEmpty { tally.violations.append("ended jobs are still recorded") }
      let accepted = platform.store.flows[echoJobs]?.accepted ?? 0
      if accepted != jobs.count { tally.violations.append("\(accepted) jobs count as accepted, not \(jobs.count)") }
      return tally
    }
  }

  private func simulate(seed: UInt64) async throws -> Tally {
    let simulation = Simulation(seed: seed)
    var tally = try await simulation.run {
      let system = try SimulatedSystem(seed: seed)
      let loading = Task(executorPreference: TimeSource.value.executor) { try await system.load() }
      let recording = Task(executorPreference: TimeSource.value.executor) { await system.recorder.run() }
      // Retry tiers release their jobs once a second.
      let tiers = Task(executorPreference: TimeSource.value.executor) {
        while !Task.isCancelled {
          try? await TimeSource.sleep(for: .seconds(1))
          system.platform.broker.releaseRetries()
        }
      }
      var nodes = (1...2).map { SimulatedNode("first \($0)", system.platform, system.registry) }
      for number in 1...25 {
        try await SimulatedWorkers.pause(upTo: 2_000)
        try await system.injectFault(&nodes, number: number)
      }
      try await system.clearFaults()
      try await loading.value
      for _ in 0..<3_000 where !system.isIdle { try await TimeSource.sleep(for: .milliseconds(200)) }
      let tally = system.tally()
      tiers.cancel()
      recording.cancel()
      await recording.value
      for node in nodes { await node.crash() }
      return tally
    }
    tally.steps = simulation.steps
    return tally
  }

  /// VLUMA_SIMULATIONS sets how many seeds are run; 60 by default.
  private static var count: UInt64 {
    ProcessInfo.processInfo.environment["VLUMA_SIMULATIONS"].flatMap(UInt64.init) ?? 60
  }

  @Test func `a seed gives the same simulation again, step by step`() async throws {
    for seed in [3, 4] as [UInt64] {
      let first = try await simulate(seed: seed)
      let second = try await simulate(seed: seed)
      #expect(first == second)
    }
  }

  @Test func `every job ends exactly once, whatever fails in whatever order`() async throws {
    var total = Tally()
    for seed in 1...Self.count {
      let tally = try await simulate(seed: seed)
      #expect(tally.violations.isEmpty, "seed \(seed): \(tally.violations.joined(separator: "; "))")
      total.completed += tally.completed
      total.cancelled += tally.cancelled
      total.dead += tally.dead
      total.steps += tally.steps
    }
    print(
      "simulation: \(Self.count) seeds, \(total.steps) steps: \(total.completed) completed, "
        + "\(total.cancelled) cancelled, \(total.dead) dead"
    )
    #expect(total.completed > Int(Self.count) * 25)
    #expect(total.cancelled > 0)
  }
}
