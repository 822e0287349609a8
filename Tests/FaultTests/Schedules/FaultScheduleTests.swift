import Testing

/// Schedules of faults depend on their seeds only.
@Suite(.timeLimit(.minutes(1)))
struct FaultScheduleTests {
  @Test func `a seed means this schedule, on every machine`() {
    let schedule = FaultSchedule(seed: 2075, steps: 5, longest: 5_000)
    #expect(
      "\(schedule)" == """
        seed 2075
          after 9 answers: kill postgres + SIGKILL worker 0 for 1.6 s
          after 21 answers: disk alarm for 4.4 s
          after 7 answers: SIGSTOP ingest for 5.0 s
          after 23 answers: kill postgres + SIGTERM worker 0 for 2.4 s
          after 8 answers: stuck log reader of ingest for 1.3 s
        """)
  }

  @Test func `fewer steps are the beginning of more`() {
    for seed in UInt64(1)...100 {
      let long = FaultSchedule(seed: seed, steps: 10)
      #expect(FaultSchedule(seed: seed, steps: 10) == long)
      #expect(Array(long.steps.prefix(4)) == FaultSchedule(seed: seed, steps: 4).steps)
    }
  }

  @Test func `schedules of different seeds differ`() {
    let texts = (UInt64(1)...100).map { seed in
      FaultSchedule(seed: seed, steps: 10).steps.map(\.description).joined(separator: "\n")
    }
    #expect(Set(texts).count == 100)
  }

  @Test func `in a hundred runs every kind of fault appears in fifteen at least`() {
    var runs: [FaultKind: Int] = [:]
    for seed in UInt64(1)...100 {
      for (kind, _) in FaultSchedule(seed: seed, steps: 10).counts { runs[kind, default: 0] += 1 }
    }
    for kind in FaultKind.allCases { #expect(runs[kind, default: 0] >= 15, "\(kind)") }
  }

  @Test func `sixty short runs have each kind eight times on average`() {
    var faults: [FaultKind: Int] = [:]
    for seed in UInt64(1)...3_000 {
      for (kind, count) in FaultSchedule(seed: seed, steps: 5).counts { faults[kind, default: 0] += count }
    }
    for kind in FaultKind.allCases { #expect(faults[kind, default: 0] >= 400, "\(kind)") }
  }

  @Test func `the usual short runs have every kind between them, and no long step`() {
    let short = FaultRunOptions.usualSeeds.map { FaultSchedule(seed: $0, steps: 5, longest: 5_000) }
    let kinds = Set(short.flatMap(\.faults).map(\.kind))
    #expect(Set(FaultKind.allCases).subtracting(kinds) == [])
    #expect(short.allSatisfy { $0.longestSeconds <= 6 })
  }

  @Test func `every kind of fault draws the same amount of random numbers`() {
    var following = Set<Int>()
    for kind in FaultKind.allCases {
      var random = FaultRandom(seed: 5)
      _ = Fault(kind, &random)
      following.insert(random.roll(0...1_000_000))
    }
    #expect(following.count == 1)
  }

  @Test func `a fault is drawn as the kind it was asked for`() {
    var random = FaultRandom(seed: 5)
    for kind in FaultKind.allCases { #expect(Fault(kind, &random).kind == kind) }
  }

  @Test func `a fault that cannot be had is replaced in its place`() {
    for seed in UInt64(1)...100 {
      let schedule = FaultSchedule(seed: seed, steps: 5)
      let replaced = schedule.replacing(.fullPostgresDisk, with: .killServer(.postgres))
      #expect(!replaced.faults.contains { $0.kind == .fullPostgresDisk })
      #expect(replaced.steps.map(\.after) == schedule.steps.map(\.after))
      #expect(replaced.steps.map(\.lasts) == schedule.steps.map(\.lasts))
      #expect(replaced.faults.count == schedule.faults.count)
    }
  }

  @Test func `stopped processes outlast leases sometimes, and heartbeats rarely`() {
    var lengths: [Int] = []
    for seed in UInt64(1)...300 {
      for step in FaultSchedule(seed: seed, steps: 10).steps where step.faults.map(\.kind) == [.stopWorker] {
        if case .milliseconds(let milliseconds) = step.lasts { lengths.append(milliseconds) }
      }
    }
    let short = lengths.count { $0 <= 4_000 }
    let long = lengths.count { $0 > 20_000 }
    #expect(short * 2 > lengths.count)
    #expect((lengths.count - short) * 5 > lengths.count)
    #expect(long > 0 && long * 8 < lengths.count)
  }

  @Test func `no step outlasts the limit`() {
    for seed in UInt64(1)...100 {
      #expect(FaultSchedule(seed: seed, steps: 10, longest: 5_000).longestSeconds <= 6)
    }
  }

  @Test func `two faults at once are one of a server and one of a process`() {
    for seed in UInt64(1)...100 {
      for step in FaultSchedule(seed: seed, steps: 10).steps where step.faults.count > 1 {
        #expect(step.faults.map(\.targetsServer) == [true, false])
      }
    }
  }
}
