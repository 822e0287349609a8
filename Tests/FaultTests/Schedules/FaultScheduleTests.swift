import Testing

/// Schedules of faults depend on their seeds only.
@Suite(.timeLimit(.minutes(1)))
struct FaultScheduleTests {
  @Test func `a seed means this schedule, on every machine`() {
    let schedule = FaultSchedule(seed: 945, steps: 5, longest: 5_000)
    #expect(
      "\(schedule)" == """
        seed 945
          after 17 answers: kill postgres + SIGKILL ingest for 1.1 s
          after 18 answers: SIGSTOP ingest for 1.9 s
          after 18 answers: cut redis + SIGKILL worker 0 for 2.4 s
          after 10 answers: memory alarm for 1.0 s
          after 21 answers: empty redis
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

  @Test func `in a hundred runs every kind of fault appears in twenty at least`() {
    var runs: [FaultKind: Int] = [:]
    for seed in UInt64(1)...100 {
      for (kind, _) in FaultSchedule(seed: seed, steps: 10).counts { runs[kind, default: 0] += 1 }
    }
    for kind in FaultKind.allCases { #expect(runs[kind, default: 0] >= 20, "\(kind)") }
  }

  @Test func `the three short runs have nearly every kind between them, and no long step`() {
    let short = [18, 801, 945].map { FaultSchedule(seed: $0, steps: 5, longest: 5_000) }
    let kinds = Set(short.flatMap(\.faults).map(\.kind))
    // RabbitMQ is killed in tests of its own.
    #expect(Set(FaultKind.allCases).subtracting(kinds) == [.killRabbitMQ])
    #expect(short.allSatisfy { $0.longestSeconds <= 6 })
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
