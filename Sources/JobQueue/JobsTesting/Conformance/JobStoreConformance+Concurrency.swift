internal import Jobs

extension JobStoreConformance {
  static var concurrencyRules: [Rule] {
    [
      Rule("a second transaction of a job waits for the first and finds its receipt") { try await $0.secondWaits() },
      Rule("a second transaction takes over when the first rolls back") { try await $0.secondTakesOver() },
      Rule("the wait for another transaction ends by the deadline, and is contention") { try await $0.waitingEnds() },
      Rule("of twenty concurrent transactions of one job, one completes it") { try await $0.oneOfTwenty() },
      Rule("concurrent batches with the same jobs complete each job once") { try await $0.crossingBatches() },
      Rule("a cancelled task rolls back, even when the body ignores the cancellation") { try await $0.cancels() },
    ]
  }

  /// Completes a run, or rolls back, once `leave` opens; `log` records the order of events.
  private func holdTransaction(
    _ job: JobRun, inside: Gate, leave: Gate, rollsBack: Bool = false, log: Locked<[String]>
  ) async throws {
    do {
      _ = try await store.complete(receipts([job]), deadline: soon) { transaction, _ in
        try await record(transaction, "\(job)")
        inside.open()
        try await leave.wait()
        log.change { $0.append("first ends") }
        if rollsBack { throw TestFailure() }
        return Completion()
      }
    } catch is TestFailure where rollsBack {}
  }

  /// Completes a run and logs that its body ran.
  private func completeSecond(_ job: JobRun, log: Locked<[String]>) async throws {
    _ = try await store.complete(receipts([job]), deadline: soon) { transaction, _ in
      log.change { $0.append("second runs") }
      try await record(transaction, "\(job)")
      return Completion()
    }
  }

  private func secondWaits() async throws {
    let job = JobRun(id: JobID())
    let (inside, leave, log) = (Gate(), Gate(), Locked<[String]>([]))
    async let first: Void = holdTransaction(job, inside: inside, leave: leave, log: log)
    try await inside.wait()
    async let second: Void = completeSecond(job, log: log)
    try await roundTrips()
    leave.open()
    try await first
    try await second
    try requireEqual(log.value, ["first ends"], "the order of events")
    try await requireEffects(of: job, 1)
  }

  private func secondTakesOver() async throws {
    let job = JobRun(id: JobID())
    let (inside, leave, log) = (Gate(), Gate(), Locked<[String]>([]))
    async let first: Void = holdTransaction(job, inside: inside, leave: leave, rollsBack: true, log: log)
    try await inside.wait()
    async let second: Void = completeSecond(job, log: log)
    try await roundTrips()
    leave.open()
    try await first
    try await second
    try requireEqual(log.value, ["first ends", "second runs"], "the order of events")
    try await requireEffects(of: job, 1)
  }

  private func waitingEnds() async throws {
    let job = JobRun(id: JobID())
    let (inside, leave, log) = (Gate(), Gate(), Locked<[String]>([]))
    async let first: Void = holdTransaction(job, inside: inside, leave: leave, log: log)
    try await inside.wait()
    var error: (any Error)?
    do {
      _ = try await store.complete(receipts([job]), deadline: .now + .milliseconds(200)) { _, _ in
        log.change { $0.append("second runs") }
        return Completion()
      }
    } catch let thrown { error = thrown }
    try requireEqual(error as? JobStoreError, .contention, "what the second transaction throws while the first is open")
    leave.open()
    try await first
    try requireEqual(log.value, ["first ends"], "the order of events")
  }

  private func oneOfTwenty() async throws {
    let job = JobRun(id: JobID())
    let ran = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { try await completeRetryingContention([job]).open?.count ?? 0 } }
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
      for index in 0..<8 {
        let order = index.isMultiple(of: 2) ? jobs : jobs.reversed()
        let batch = Array(order.dropFirst(index / 2))
        group.addTask { try await completeRetryingContention(batch).open?.count ?? 0 }
      }
      var sum = 0
      for try await count in group { sum += count }
      return sum
    }
    try requireEqual(opened, jobs.count, "the open jobs of all batches")
    for job in jobs { try await requireEffects(of: job, 1) }
  }

  private func cancels() async throws {
    let job = JobRun(id: JobID())
    let (inside, never) = (Gate(), Gate())
    let task = Task {
      try await store.complete(receipts([job]), deadline: soon) { transaction, _ in
        try await record(transaction, "\(job)")
        inside.open()
        try? await never.wait()
        return Completion()
      }
    }
    try await inside.wait()
    task.cancel()
    if case .success = await task.result { throw ConformanceFailure("a cancelled transaction succeeded") }
    try await requireEffects(of: job, 0)
    try requireEqual(try await complete([job]).open, [job], "the open jobs afterwards")
  }
}
