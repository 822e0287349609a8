import Foundation
import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import Synchronization
import Testing
import Wires

/// The engine on the ports in memory, in orders that follow from a seed: nodes crash at any await, the ledger and the
/// broker go away, lose answers and connections, operators scale and pause; at the end every job is accounted for.
@Suite(.timeLimit(.minutes(5)))
struct SimulationTests {
  /// What a run came to: its faults against the promises, and what it did.
  struct Account: Equatable {
    var broken: [String] = []
    var done = 0
    var discarded = 0
    var dead = 0
    var steps = 0
  }

  private struct World {
    let platform: EnginePlatform
    let jobs: [JobEnvelope]
    let registry: WorkerRegistry<InMemoryTransaction>

    init(seed: UInt64) throws {
      let inBatches = seed.isMultiple(of: 2)
      platform = EnginePlatform(
        workers: WorkerCounts(min: 1, start: 5, max: 12), timeout: .seconds(5), maxAttempts: 6, maxCrashes: 40,
        batch: inBatches ? BatchConfiguration(size: 4, wait: .milliseconds(10)) : nil)
      registry = SimulatedTrade.registry(inBatches: inBatches)
      jobs = try (0..<40).map { try JobCodec.envelope(for: Errand(name: "\($0)"), tenant: nil) }
    }

    /// Enqueues all jobs, each again and again until the broker holds it.
    func load() async throws {
      for job in jobs {
        try await SimulatedTrade.pause(upTo: 1_000)
        while await platform.broker.enqueue([OutgoingJob(job, to: .pool(errands))], deadline: CurrentRuntime.now) != [
          .kept
        ] { try await SimulatedTrade.pause(upTo: 500) }
      }
    }

    /// One trouble, or its end.
    func trouble(_ nodes: inout [SimulatedNode], number: Int) async throws {
      switch SimulatedTrade.draw(below: 12) {
      case 0, 1, 2:
        let victim = SimulatedTrade.draw(below: nodes.count)
        await nodes[victim].crash()
        nodes[victim] = SimulatedNode("node \(number)", platform, registry)
      case 3: platform.broker.dropConnection()
      case 4:
        platform.ledger.isAvailable = false
        try await SimulatedTrade.pause(upTo: 4_000)
        platform.ledger.isAvailable = true
      case 5:
        platform.broker.isReady = false
        try await SimulatedTrade.pause(upTo: 4_000)
        platform.broker.isReady = true
      case 6:
        let call = LedgerCall.allCases[SimulatedTrade.draw(below: LedgerCall.allCases.count)]
        let error = [LedgerError.inDoubt, .contention, .unavailable("lost")][SimulatedTrade.draw(below: 3)]
        platform.ledger.fail(next: call, with: error, takesEffect: error == .inDoubt, times: 2)
      case 7: platform.broker.fail(next: 3, with: .inDoubt(isKept: SimulatedTrade.draw(below: 2) == 0))
      case 8: platform.broker.fail(next: 3, with: .unavailable)
      case 9: platform.broker.stall(errands)
      case 10:
        let size = 1 + SimulatedTrade.draw(below: 12)
        _ = try await platform.directory.change(errands, by: "simulation") { $0.size = size }
      default:
        let isPaused = SimulatedTrade.draw(below: 2) == 0
        _ = try await platform.directory.change(errands, by: "simulation") {
          $0.pausedKinds = isPaused ? [Errand.kind] : []
        }
      }
    }

    func heal() async throws {
      platform.ledger.isAvailable = true
      platform.broker.isReady = true
      _ = try await platform.directory.change(errands, by: "simulation") { $0 = PoolSetting() }
    }

    /// True when no job is anywhere any more.
    var isQuiet: Bool {
      platform.broker.isEmpty(errands) && platform.broker.isEmpty(sequels) && platform.broker.retries.isEmpty
        && platform.broker.dead(of: errands).isEmpty && platform.broker.unsettledDeadCount(of: errands) == 0
        && platform.ledger.outbox.isEmpty && platform.ledger.delayedJobs.isEmpty
    }

    func account() -> Account {
      var account = Account()
      let effects = Dictionary(grouping: platform.ledger.effects) { $0 }.mapValues(\.count)
      for (number, job) in jobs.enumerated() {
        let expected: Int
        switch platform.ledger.receipt(of: job.jobRun)?.outcome {
        case .done:
          account.done += 1
          expected = 1
        case .discarded:
          account.discarded += 1
          expected = 0
        case .dead:
          account.dead += 1
          expected = 0
        case nil:
          account.broken.append("job \(number) is lost")
          continue
        }
        for effect in ["\(number)", "after \(number)"] where effects[effect, default: 0] != expected {
          account.broken.append("effect \"\(effect)\" happened \(effects[effect, default: 0]) times, not \(expected)")
        }
      }
      if !isQuiet { account.broken.append("jobs are left somewhere") }
      return account
    }
  }

  private func simulate(seed: UInt64) async throws -> Account {
    let simulation = Simulation(seed: seed)
    var account = try await simulation.run {
      let world = try World(seed: seed)
      let loading = Task(executorPreference: CurrentRuntime.value.executor) { try await world.load() }
      // The tiers let go once a second.
      let tiers = Task(executorPreference: CurrentRuntime.value.executor) {
        while !Task.isCancelled {
          try? await CurrentRuntime.sleep(for: .seconds(1))
          world.platform.broker.releaseRetries()
        }
      }
      var nodes = (1...2).map { SimulatedNode("first \($0)", world.platform, world.registry) }
      for number in 1...25 {
        try await SimulatedTrade.pause(upTo: 2_000)
        try await world.trouble(&nodes, number: number)
      }
      try await world.heal()
      try await loading.value
      for _ in 0..<3_000 where !world.isQuiet { try await CurrentRuntime.sleep(for: .milliseconds(200)) }
      let account = world.account()
      tiers.cancel()
      for node in nodes { await node.crash() }
      return account
    }
    account.steps = simulation.steps
    return account
  }

  /// VLUMA_SIMULATIONS asks for more of them.
  private static var count: UInt64 {
    ProcessInfo.processInfo.environment["VLUMA_SIMULATIONS"].flatMap(UInt64.init) ?? 60
  }

  @Test func `a seed does the same again, step by step`() async throws {
    for seed in [3, 4] as [UInt64] {
      let first = try await simulate(seed: seed)
      let second = try await simulate(seed: seed)
      #expect(first == second)
    }
  }

  @Test func `every job ends once, whatever happens in whatever order`() async throws {
    var total = Account()
    for seed in 1...Self.count {
      let account = try await simulate(seed: seed)
      #expect(account.broken.isEmpty, "seed \(seed): \(account.broken.joined(separator: "; "))")
      total.done += account.done
      total.discarded += account.discarded
      total.dead += account.dead
      total.steps += account.steps
    }
    print(
      "simulation: \(Self.count) seeds, \(total.steps) steps: \(total.done) done, \(total.discarded) discarded, \(total.dead) dead"
    )
    #expect(total.done > Int(Self.count) * 25)
    #expect(total.discarded > 0)
  }
}
