import Foundation
import Jobs
import JobsPostgres
import JobsTesting
import Postgres
import TestServers
import Testing

/// Pruning beside others, and within bounds.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct JobPrunerConcurrencyTests {
  private static let day = PrunedStore.day

  @Test func `a round ends after fifty thousand rows, and tells that there are more`() async throws {
    try await PrunedStore.with { it async throws in
      try await it.writeForeign(50_200, at: it.now)
      let first = try await it.pruner.prune(now: it.later)
      #expect(first.receipts == 50_000 && first.hasMore)
      let second = try await it.pruner.prune(now: it.later)
      #expect(second.receipts == 200 && !second.hasMore)
    }
  }

  @Test func `of several who prune at once, each row and partition is dealt with by one`() async throws {
    try await PrunedStore.with { it async throws in
      try await it.writeForeign(5_000, at: it.now)
      let before = try await it.partitions()
      let rounds = try await withThrowingTaskGroup(of: JobPruner.Summary.self) { group in
        for _ in 0..<5 { group.addTask { try await it.pruner.prune(now: it.later) } }
        var rounds: [JobPruner.Summary] = []
        for try await round in group { rounds.append(round) }
        return rounds
      }
      #expect(rounds.contains { !$0.wasSkipped })
      #expect(rounds.allSatisfy { !$0.wasSkipped || !$0.hasChanges })
      #expect(rounds.map(\.receipts).reduce(0, +) == 5_000)
      let (made, dropped) = (rounds.map(\.partitionsCreated).reduce(0, +), rounds.map(\.partitionsDropped).reduce(0, +))
      #expect(made > 0 && dropped <= 1)
      let after = try await it.partitions()
      #expect(after.count == before.count + made - dropped)
    }
  }

  @Test func `pruning gives up where a completing transaction is open, and other jobs go on being completed`()
    async throws
  {
    try await PrunedStore.with { it async throws in
      let (inside, leave, isOver) = (Gate(), Gate(), Locked(false))
      let job = JobRun(id: JobID())
      async let held: Void = it.hold(job, "SELECT 1", inside: inside, leave: leave)
      defer { leave.open() }
      try await inside.wait()
      let pruning = Task {
        defer { isOver.change { $0 = true } }
        return try await it.pruner.prune(now: it.later)
      }
      var slowest = Duration.zero
      repeat {
        let time = try await duration { try await it.complete(JobRun(id: JobID())) }
        slowest = max(slowest, time)
      } while !isOver.value
      let pruned = try await pruning.value
      // To make partitions is possible, to drop one is not.
      #expect(pruned.partitionsCreated > 0 && pruned.partitionsPostponed == 1 && pruned.partitionsDropped == 0)
      #expect(slowest < .seconds(2))
      leave.open()
      try await held
      #expect(try await it.completed([job]) == [job])
      try await eventually("the partition is dropped") {
        try await it.pruner.prune(now: it.later).partitionsDropped == 1
      }
    }
  }

  @Test func `a transaction that uses the default partition is not waited for either`() async throws {
    try await PrunedStore.with { it async throws in
      let (inside, leave) = (Gate(), Gate())
      let job = JobRun(id: JobID())
      async let held: Void = it.hold(job, "SELECT count(*) FROM jobs.receipt", inside: inside, leave: leave)
      defer { leave.open() }
      try await inside.wait()
      let before = try await it.partitions()
      let pruned = try await withTimeout(within: .seconds(10), "pruning gives up") {
        try await it.pruner.prune(now: it.later)
      }
      #expect(pruned.partitionsCreated == 0 && pruned.partitionsDropped == 0 && pruned.partitionsPostponed == 2)
      #expect(try await it.partitions() == before)
      #expect(try await it.complete(JobRun(id: JobID())))
      leave.open()
      try await held
    }
  }

  @Test func `a partition of which much is still needed stays whole until less is`() async throws {
    try await PrunedStore.with { it async throws in
      let jobs = (0..<1_001).map { _ in JobRun(id: JobID()) }
      try await it.write(jobs, at: it.later - Self.day)
      let first = try await it.pruner.prune(now: it.later)
      #expect(first.partitionsDropped == 0 && first.partitionsPostponed == 1)
      #expect(try await it.completed([jobs[0], jobs[1_000]]).count == 2)
      try await eventually("the partition is dropped") {
        try await it.pruner.prune(now: it.later + 15 * Self.day).partitionsDropped == 1
      }
      #expect(try await it.completed([jobs[0], jobs[1_000]]) == [])
    }
  }

  @Test func `receipts from before there were partitions are found afterwards`() async throws {
    try await withEmptyDatabase { configuration async throws in
      _ = try await PostgresMigrator(configuration, migrations: JobMigrations.all).migrate()
      let pool = PostgresConnectionPool(configuration, size: 4)
      let it = PrunedStore(pool: pool, pruner: JobPruner(configuration))
      let ids = ([-300, -20, 0, 12] as [Double]).map { UUID.version7(at: it.now + $0 * Self.day) }
      let jobs = ids.map { JobRun(id: JobID($0)) }
      for job in jobs { try await it.complete(job) }
      try await it.writeForeign(10, at: it.now)
      _ = try await PostgresMigrator(configuration, migrations: JobMigrations.all).migrate()
      #expect(try await it.completed(jobs) == jobs)
      let pruned = try await it.prune()
      #expect(pruned.partitionsCreated > 0 && pruned.receipts == 0)
      #expect(try await it.completed(jobs) == jobs)
      for job in jobs { #expect(try await !it.complete(job)) }
      let count = try await pool.query("SELECT count(*) FROM jobs.receipt")[0].decode(0, as: Int.self)
      #expect(count == jobs.count + 10)
      await pool.close()
    }
  }
}

@Suite(.serialized, .timeLimit(.minutes(1)))
struct PrunedStoreConformanceTests {
  @Test(arguments: JobStoreConformance<PostgresJobStore>.rules)
  func `the store keeps the rule when partitions were made and dropped`(
    _ rule: ConformanceRule<JobStoreConformance<PostgresJobStore>>
  ) async throws {
    try await withTestDatabase(migrations: [effectTable]) { pool, configuration async throws in
      let pruner = JobPruner(configuration)
      _ = try await pruner.prune()
      // A round that meets anybody else's lock, autovacuum's for one, leaves it to the next.
      try await eventually("partitions are dropped") {
        try await pruner.prune(now: Date(timeIntervalSinceNow: 40 * PrunedStore.day)).partitionsDropped > 0
      }
      try await rule.check(subject(pool))
    }
  }
}
