internal import Jobs

extension JobStoreConformance {
  /// What holds for transactions before a job's completing one.
  static var transactionRules: [Rule] {
    [
      Rule("a step's effects can be seen when it is over, and not before") { try await $0.transactionCommits() },
      Rule("what a step throws rolls it back and is thrown on") { try await $0.transactionRollsBack() },
      Rule("a step leaves no receipt: its job is open, and is completed after it") {
        try await $0.transactionLeavesNoReceipt()
      },
      Rule("a step stays where its job's completion is rolled back, and happens again when the job is done again") {
        try await $0.transactionOutlivesRollback()
      },
      Rule("a step of a job that is completed already happens all the same") {
        try await $0.transactionFollowsCompletion()
      },
      Rule("a run is completed once it has its receipt, and no other run of the job") { try await $0.receiptIsKnown() },
      Rule("steps leave nothing in the outbox, and no start") { try await $0.transactionLeavesNothingElse() },
      Rule("the store's clock goes on") { try await $0.clockGoesOn() },
    ]
  }

  /// Runs a step with one effect, named after the job it belongs to.
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
    try require(!early.value.contains("\(job)"), "the effect could be seen before the commit")
    try await requireEffects(of: job, 1)
  }

  private func transactionRollsBack() async throws {
    let job = JobRun(id: JobID())
    do {
      try await store.withTransaction(deadline: soon) { transaction in
        try await record(transaction, "\(job)")
        throw TestFailure()
      }
      throw ConformanceFailure("nothing was thrown on")
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
    try requireEqual(try await complete([job]).open, [job], "the open jobs when the job is done again")
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
      try await store.history(of: job).hasReceipt, false, "whether a job is completed before its completion")
    try await complete([job])
    try requireEqual(
      try await store.history(of: job).hasReceipt, true, "whether a job is completed after its completion")
    let next = JobRun(id: job.id, run: 2)
    try requireEqual(try await store.history(of: next).hasReceipt, false, "whether the job's next run is completed")
  }

  private func clockGoesOn() async throws {
    let before = try await store.now()
    try await Task.sleep(for: .milliseconds(20))
    try require(try await store.now() > before, "the store's clock stands")
  }

  private func transactionLeavesNothingElse() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    try await requireOutbox([])
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a step has put a job off")
    try requireEqual(try await store.markStart(job, node: "node"), 1, "the starts after a step")
  }
}
