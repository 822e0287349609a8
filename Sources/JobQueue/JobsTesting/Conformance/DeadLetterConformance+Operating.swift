internal import Foundation
internal import Jobs

extension DeadLetterConformance {
  static var listingRules: [Rule] {
    [
      Rule("letters are listed latest first, up to the limit") { try await $0.listsLatestFirst() },
      Rule("all conditions of a filter must hold") { try await $0.filters() },
      Rule("a filter can leave the bodies out") { try await $0.leavesBodiesOut() },
      Rule("letters of one cause are one group") { try await $0.groupsByCause() },
    ]
  }

  static var retryRules: [Rule] {
    [
      Rule("a retry enqueues the next run from its first attempt") { try await $0.retriesAsNextRun() },
      Rule("the retried run can be completed") { try await $0.completesRetried() },
      Rule("a retry takes the letters that the filter selects, no others") { try await $0.retriesSelected() },
      Rule("a retry skips a job that is completed in any run") { try await $0.skipsCompleted() },
      Rule("of several concurrent retries, one enqueues each job") { try await $0.retriesOnce() },
    ]
  }

  static var archivingRules: [Rule] {
    [Rule("an archived letter is not listed, retried or archived again") { try await $0.archives() }]
  }

  private func listsLatestFirst() async throws {
    let letters = (0..<5).map { letter(at: 1_790_000_000 + Double($0)) }
    try await index.record([letters[3], letters[0], letters[4], letters[1], letters[2]])
    let listed = try await index.letters(DeadLetterFilter(limit: 3)).map(\.jobRun)
    try requireEqual(listed, letters.reversed().prefix(3).map(\.jobRun), "the latest letters")
  }

  private func filters() async throws {
    let (here, there, other) = (letter(), letter(pool: "test.other"), letter(cause: "Other"))
    try await index.record([here, there, other])
    func listed(_ filter: DeadLetterFilter) async throws -> Set<JobRun> {
      Set(try await index.letters(filter).map(\.jobRun))
    }
    let cause = here.deadLetterInfo.fingerprint
    try requireEqual(try await listed(DeadLetterFilter(pool: pool)), [here.jobRun, other.jobRun], "the pool's letters")
    try requireEqual(
      try await listed(DeadLetterFilter(fingerprint: cause)), [here.jobRun, there.jobRun], "the letters of one cause")
    try requireEqual(
      try await listed(DeadLetterFilter(ids: [there.jobRun.id, other.jobRun.id, JobID()])),
      [there.jobRun, other.jobRun], "the letters of some jobs")
    try requireEqual(
      try await listed(DeadLetterFilter(pool: pool, fingerprint: cause, ids: [here.jobRun.id, there.jobRun.id])),
      [here.jobRun], "the letters for which all conditions hold")
    try requireEqual(try await listed(DeadLetterFilter(ids: [])), [], "the letters of no jobs")
  }

  private func leavesBodiesOut() async throws {
    let dead = letter()
    try await index.record([dead])
    var filter = DeadLetterFilter(ids: [dead.jobRun.id])
    filter.readsBodies = false
    let listed = try await index.letters(filter)
    try requireEqual(listed.map(\.jobRun), [dead.jobRun], "the letters without bodies")
    try requireEqual(listed.map(\.body), [Data()], "the bodies that were left out")
    try requireEqual(listed.map { $0.envelope?.body }, [Data()], "the bodies of the envelopes")
    filter.readsBodies = true
    try requireEqual(try await index.letters(filter).map(\.body), [dead.body], "the bodies that were read")
  }

  private func groupsByCause() async throws {
    let early = letter(detail: "early", at: 1_790_000_010)
    let late = letter(detail: "late", at: 1_790_000_030)
    let other = letter(cause: "Other", at: 1_790_000_020)
    let gone = letter(cause: "Gone")
    try await index.record([late, other, early, gone])
    _ = try await index.archive(DeadLetterFilter(ids: [gone.jobRun.id]), by: "test")
    func group(_ last: DeadLetter, count: Int, first: DeadLetter) -> DeadLetterGroup {
      DeadLetterGroup(
        fingerprint: last.deadLetterInfo.fingerprint, pool: pool, kind: "test.full", reason: last.deadLetterInfo.reason,
        detail: last.deadLetterInfo.detail, count: count, firstAt: first.deadLetterInfo.at,
        lastAt: last.deadLetterInfo.at)
    }
    let expected = [group(late, count: 2, first: early), group(other, count: 1, first: other)]
    try requireEqual(try await index.groups(), expected, "the groups, latest first")
  }

  private func retriesAsNextRun() async throws {
    let letter = letter(SampleJobs.full(run: 2, attempt: 7))
    try await index.record([letter])
    let result = try await index.retry(DeadLetterFilter(), by: "test")
    try requireEqual(result, RedriveResult(retried: 1, skipped: 0), "the retry")
    try await requireOpen([], "after the retry")
    let entries = try await store.outbox()
    try requireEqual(entries.map(\.pool), [pool], "the pools in the outbox")
    var next = letter.envelope
    next?.run = 3
    next?.attempt = 1
    next?.isCounted = true
    try requireEqual(entries.first?.envelope, next, "the job in the outbox")
    try requireEqual(
      try await index.retry(DeadLetterFilter(), by: "test").retried, 0, "the number of letters retried again")
  }

  private func completesRetried() async throws {
    let letter = letter()
    try await index.record([letter])
    _ = try await index.retry(DeadLetterFilter(), by: "test")
    let next = JobRun(id: letter.jobRun.id, run: 2)
    try require(try await !complete(letter.jobRun), "the dead run could be completed")
    try require(try await complete(next), "the next run could not be completed")
  }

  private func retriesSelected() async throws {
    let letters = (0..<3).map { letter(at: 1_790_000_000 + Double($0)) }
    try await index.record(letters)
    let first = try await index.retry(DeadLetterFilter(limit: 1), by: "test")
    try requireEqual(first, RedriveResult(retried: 1, skipped: 0), "a retry of one letter")
    try await requireOpen(Array(letters.prefix(2)), "after the latest was retried")
    let elsewhere = try await index.retry(DeadLetterFilter(pool: "test.other"), by: "test")
    try requireEqual(elsewhere, RedriveResult(), "a retry in another pool")
    try requireEqual(try await store.outbox().map(\.envelope.id), [letters[2].jobRun.id], "the jobs in the outbox")
  }

  private func skipsCompleted() async throws {
    let (completed, dead) = (letter(), letter())
    try await index.record([completed, dead])
    _ = try await complete(JobRun(id: completed.jobRun.id, run: 2))
    let result = try await index.retry(DeadLetterFilter(), by: "test")
    try requireEqual(result, RedriveResult(retried: 1, skipped: 1), "a retry of a completed job and a dead one")
    try requireEqual(try await store.outbox().map(\.envelope.id), [dead.jobRun.id], "the jobs in the outbox")
  }

  private func retriesOnce() async throws {
    let letters = (0..<5).map { _ in letter() }
    try await index.record(letters)
    let retried = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<6 { group.addTask { try await index.retry(DeadLetterFilter(), by: "test").retried } }
      var sum = 0
      for try await count in group { sum += count }
      return sum
    }
    try requireEqual(retried, letters.count, "the number of retries")
    let ids = try await store.outbox().map(\.envelope.id)
    try requireEqual(ids.count, letters.count, "the number of jobs in the outbox")
    try requireEqual(Set(ids), Set(letters.map(\.jobRun.id)), "the jobs in the outbox")
  }

  private func archives() async throws {
    let letters = [letter(), letter()]
    try await index.record(letters)
    let filter = DeadLetterFilter(ids: [letters[0].jobRun.id])
    try requireEqual(try await index.archive(filter, by: "test"), 1, "the number of archived letters")
    try await requireOpen([letters[1]], "after one was archived")
    try requireEqual(try await index.archive(filter, by: "test"), 0, "the number of letters archived again")
    try requireEqual(try await index.retry(filter, by: "test").retried, 0, "the number of archived letters retried")
    try require(try await store.outbox().isEmpty, "an archived job is in the outbox")
    try require(try await !complete(letters[0].jobRun), "the run of an archived letter could be completed")
  }
}
