internal import Jobs

extension JobStoreConformance {
  /// Transactions before the completing one, called steps here.
  static var transactionRules: [Rule] {
    [
      Rule("the effects of a step are visible after its commit and not before") { try await $0.transactionCommits() },
      Rule("an error of a step rolls back and is rethrown") { try await $0.transactionRollsBack() },
      Rule("a step leaves no receipt, and its job can be completed after it") {
        try await $0.transactionLeavesNoReceipt()
      },
      Rule("a step stays when its job's completion is rolled back, and runs again with the job") {
        try await $0.transactionOutlivesRollback()
      },
      Rule("a step of a completed job runs as well") {
        try await $0.transactionFollowsCompletion()
      },
      Rule("the history of a run, and of no other run of the job, has its receipt") { try await $0.receiptIsKnown() },
      Rule("steps leave nothing in the outbox and no start marker") { try await $0.transactionLeavesNothingElse() },
      Rule("the store's clock advances") { try await $0.clockAdvances() },
    ]
  }

  /// Runs a step with one effect, named after its job.
  private func step(of job: JobRun) async throws {
    try await store.withTransaction(deadline: soon) { transaction in try await record(transaction, "\(job)") }
  }

  private func transactionCommits() async throws {
    let job = JobRun(id: JobID())
    let early = Locked<[String]>([])
    try await store.withTransaction(deadline: soon) { transaction in
      try await record(transaction, "\(job)")
      let seen = try await effects()
      early.change { $0 = seen }
    }
    try require(!early.value.contains("\(job)"), "the effect was visible before the commit")
    try await requireEffects(of: job, 1)
  }

  private func transactionRollsBack() async throws {
    let job = JobRun(id: JobID())
    do {
      try await store.withTransaction(deadline: soon) { transaction in
        try await record(transaction, "\(job)")
        throw TestFailure()
      }
      throw ConformanceFailure("the error was not rethrown")
    } catch is TestFailure {}
    try await requireEffects(of: job, 0)
    try await step(of: job)
    try await requireEffects(of: job, 1)
  }

  private func transactionLeavesNoReceipt() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    try requireEqual(try await complete([job]).open, [job], "the open jobs after a step")
    try await requireEffects(of: job, 2)
    try requireEqual(try await complete([job]).open, nil, "the open jobs after the completion")
  }

  private func transactionOutlivesRollback() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    _ = try await complete([job]) { $0.rollsBack = true }
    try await requireEffects(of: job, 1)
    try await step(of: job)
    try requireEqual(try await complete([job]).open, [job], "the open jobs when the job runs again")
    try await requireEffects(of: job, 3)
  }

  private func transactionFollowsCompletion() async throws {
    let job = JobRun(id: JobID())
    try await complete([job])
    try await step(of: job)
    try await requireEffects(of: job, 2)
    try requireEqual(try await complete([job]).open, nil, "the open jobs after the completion and a step")
  }

  private func receiptIsKnown() async throws {
    let job = JobRun(id: JobID())
    try requireEqual(
      try await store.history(of: job).hasReceipt, false, "whether a run has a receipt before its completion")
    try await complete([job])
    try requireEqual(
      try await store.history(of: job).hasReceipt, true, "whether a run has a receipt after its completion")
    let next = JobRun(id: job.id, run: 2)
    try requireEqual(try await store.history(of: next).hasReceipt, false, "whether the job's next run has a receipt")
  }

  private func clockAdvances() async throws {
    let before = try await store.now()
    try await Task.sleep(for: .milliseconds(20))
    try require(try await store.now() > before, "the store's clock does not advance")
  }

  private func transactionLeavesNothingElse() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    try await requireOutbox([])
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a step has scheduled a job")
    try requireEqual(try await store.markStart(job, node: "node"), 1, "the starts after a step")
  }
}
