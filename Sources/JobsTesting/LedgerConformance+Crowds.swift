internal import Jobs

extension LedgerConformance {
  /// What holds when several do the same at once.
  static var crowdRules: [Rule] {
    [
      Rule("a second transaction of a job waits for the first and finds its receipt") { try await $0.secondWaits() },
      Rule("a second transaction takes over when the first rolls back") { try await $0.secondTakesOver() },
      Rule("waiting for another transaction ends at the deadline") { try await $0.waitingEnds() },
      Rule("of twenty transactions of one job at once, one closes it") { try await $0.oneOfTwenty() },
      Rule("batches with the same jobs at once close each job once") { try await $0.crossingBatches() },
      Rule("what was cancelled is rolled back, even where the body takes no notice") { try await $0.cancels() },
    ]
  }

  /// Closes a job, or rolls back, once `leave` opens; `log` tells the order of events.
  private func linger(
    _ job: JobRun, inside: Gate, leave: Gate, rollsBack: Bool = false, log: Shared<[String]>
  ) async throws {
    do {
      _ = try await ledger.close(receipts([job]), deadline: soon) { transaction, _ in
        try await record(transaction, "\(job)")
        inside.open()
        try await leave.wait()
        log.change { $0.append("first leaves") }
        if rollsBack { throw Refusal() }
        return JobClosing()
      }
    } catch is Refusal where rollsBack {}
  }

  /// Closes a job and tells when its body ran.
  private func follow(_ job: JobRun, log: Shared<[String]>) async throws {
    _ = try await ledger.close(receipts([job]), deadline: soon) { transaction, _ in
      log.change { $0.append("second runs") }
      try await record(transaction, "\(job)")
      return JobClosing()
    }
  }

  private func secondWaits() async throws {
    let job = JobRun(id: JobID())
    let (inside, leave, log) = (Gate(), Gate(), Shared<[String]>([]))
    async let first: Void = linger(job, inside: inside, leave: leave, log: log)
    try await inside.wait()
    async let second: Void = follow(job, log: log)
    try await roundTrips()
    leave.open()
    try await first
    try await second
    try requireEqual(log.value, ["first leaves"], "what happened")
    try await requireEffects(of: job, 1)
  }

  private func secondTakesOver() async throws {
    let job = JobRun(id: JobID())
    let (inside, leave, log) = (Gate(), Gate(), Shared<[String]>([]))
    async let first: Void = linger(job, inside: inside, leave: leave, rollsBack: true, log: log)
    try await inside.wait()
    async let second: Void = follow(job, log: log)
    try await roundTrips()
    leave.open()
    try await first
    try await second
    try requireEqual(log.value, ["first leaves", "second runs"], "what happened")
    try await requireEffects(of: job, 1)
  }

  private func waitingEnds() async throws {
    let job = JobRun(id: JobID())
    let (inside, leave, log) = (Gate(), Gate(), Shared<[String]>([]))
    async let first: Void = linger(job, inside: inside, leave: leave, log: log)
    try await inside.wait()
    var isOver = false
    do {
      _ = try await ledger.close(receipts([job]), deadline: .now + .milliseconds(200)) { _, _ in
        log.change { $0.append("second runs") }
        return JobClosing()
      }
    } catch { isOver = true }
    try require(isOver, "the second transaction ended well although the first one still stands")
    leave.open()
    try await first
    try requireEqual(log.value, ["first leaves"], "what happened")
  }

  private func oneOfTwenty() async throws {
    let job = JobRun(id: JobID())
    let ran = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { try await closeInsisting([job]).open?.count ?? 0 } }
      var sum = 0
      for try await count in group { sum += count }
      return sum
    }
    try requireEqual(ran, 1, "the transactions that found the job open")
    try await requireEffects(of: job, 1)
  }

  private func crossingBatches() async throws {
    let jobs = (0..<10).map { _ in JobRun(id: JobID()) }
    let opened = try await withThrowingTaskGroup(of: Int.self) { group in
      for turn in 0..<8 {
        let order = turn.isMultiple(of: 2) ? jobs : jobs.reversed()
        let batch = Array(order.dropFirst(turn / 2))
        group.addTask { try await closeInsisting(batch).open?.count ?? 0 }
      }
      var sum = 0
      for try await count in group { sum += count }
      return sum
    }
    try requireEqual(opened, jobs.count, "the jobs that were found open, over all batches")
    for job in jobs { try await requireEffects(of: job, 1) }
  }

  private func cancels() async throws {
    let job = JobRun(id: JobID())
    let (inside, never) = (Gate(), Gate())
    let task = Task {
      try await ledger.close(receipts([job]), deadline: soon) { transaction, _ in
        try await record(transaction, "\(job)")
        inside.open()
        try? await never.wait()
        return JobClosing()
      }
    }
    try await inside.wait()
    task.cancel()
    if case .success = await task.result { throw ConformanceFailure("a cancelled transaction ended well") }
    try await requireEffects(of: job, 0)
    try requireEqual(try await close([job]).open, [job], "the open jobs afterwards")
  }
}
