internal import Jobs

extension LedgerConformance {
  /// What holds for transactions before a job's closing one.
  static var stepRules: [Rule] {
    [
      Rule("a step's effects can be seen when it is over, and not before") { try await $0.stepCommits() },
      Rule("what a step throws rolls it back and is thrown on") { try await $0.stepRollsBack() },
      Rule("a step leaves no receipt: its job is open, and is closed after it") { try await $0.stepLeavesNoReceipt() },
      Rule("a step stays where its job's closing is rolled back, and happens again when the job is done again") {
        try await $0.stepOutlivesItsClosing()
      },
      Rule("a step of a job that is closed already happens all the same") { try await $0.stepFollowsClosing() },
      Rule("a run is closed once it has its receipt, and no other run of the job") { try await $0.closedIsKnown() },
      Rule("steps leave nothing in the outbox, and no start") { try await $0.stepLeavesNothingElse() },
      Rule("the ledger's clock goes on") { try await $0.clockGoesOn() },
    ]
  }

  /// Runs a step with one effect, named after the job it belongs to.
  private func step(of job: JobRun) async throws {
    try await ledger.transact(deadline: soon) { transaction in try await record(transaction, "\(job)") }
  }

  private func stepCommits() async throws {
    let job = JobRun(id: JobID())
    let early = Shared<[String]>([])
    try await ledger.transact(deadline: soon) { transaction in
      try await record(transaction, "\(job)")
      let seen = try await effects()
      early.change { $0 = seen }
    }
    try require(!early.value.contains("\(job)"), "the effect could be seen before the commit")
    try await requireEffects(of: job, 1)
  }

  private func stepRollsBack() async throws {
    let job = JobRun(id: JobID())
    do {
      try await ledger.transact(deadline: soon) { transaction in
        try await record(transaction, "\(job)")
        throw Refusal()
      }
      throw ConformanceFailure("nothing was thrown on")
    } catch is Refusal {}
    try await requireEffects(of: job, 0)
    try await step(of: job)
    try await requireEffects(of: job, 1)
  }

  private func stepLeavesNoReceipt() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    try requireEqual(try await close([job]).open, [job], "the open jobs after a step")
    try await requireEffects(of: job, 2)
    try requireEqual(try await close([job]).open, nil, "the open jobs after the closing")
  }

  private func stepOutlivesItsClosing() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    _ = try await close([job]) { $0.rollsBack = true }
    try await requireEffects(of: job, 1)
    try await step(of: job)
    try requireEqual(try await close([job]).open, [job], "the open jobs when the job is done again")
    try await requireEffects(of: job, 3)
  }

  private func stepFollowsClosing() async throws {
    let job = JobRun(id: JobID())
    try await close([job])
    try await step(of: job)
    try await requireEffects(of: job, 2)
    try requireEqual(try await close([job]).open, nil, "the open jobs after the closing and a step")
  }

  private func closedIsKnown() async throws {
    let job = JobRun(id: JobID())
    try requireEqual(try await ledger.history(of: job).isClosed, false, "whether a job is closed before its closing")
    try await close([job])
    try requireEqual(try await ledger.history(of: job).isClosed, true, "whether a job is closed after its closing")
    let next = JobRun(id: job.id, run: 2)
    try requireEqual(try await ledger.history(of: next).isClosed, false, "whether the job's next run is closed")
  }

  private func clockGoesOn() async throws {
    let before = try await ledger.now()
    try await Task.sleep(for: .milliseconds(20))
    try require(try await ledger.now() > before, "the ledger's clock stands")
  }

  private func stepLeavesNothingElse() async throws {
    let job = JobRun(id: JobID())
    try await step(of: job)
    try await requireOutbox([])
    try require(try await ledger.releaseDueJobs(limit: 10).isEmpty, "a step has put a job off")
    try requireEqual(try await ledger.markStart(job, node: "node"), 1, "the starts after a step")
  }
}
