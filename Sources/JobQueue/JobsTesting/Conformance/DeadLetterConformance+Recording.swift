internal import Foundation
internal import Jobs

extension DeadLetterConformance {
  static var recordRules: [Rule] {
    [
      Rule("a letter is kept unchanged") { try await $0.keepsLetters() },
      Rule("recording a letter again changes nothing") { try await $0.recordsOnce() },
      Rule("the same letter twice in one call is one letter") { try await $0.recordsDuplicatesOnce() },
      Rule("the letter of a completed job is dropped") { try await $0.dropsCompleted() },
      Rule("the letter of a cancelled job is dropped") { try await $0.dropsCancelled() },
      Rule("a late copy of a dead job finds its receipt") { try await $0.stopsLateCopies() },
      Rule("a letter waits for a transaction of its job, and is dropped when that commits") {
        try await $0.waitsForTheTransaction(commits: true)
      },
      Rule("a letter waits for a transaction of its job, and stays when that rolls back") {
        try await $0.waitsForTheTransaction(commits: false)
      },
      Rule("letters that are recorded concurrently are recorded once") { try await $0.recordsConcurrently() },
      Rule("an unreadable message is a letter without an envelope") { try await $0.keepsUnreadable() },
      Rule("a retried run that dies again has its own letter") {
        try await $0.recordsTheNextRun()
      },
    ]
  }

  private func keepsLetters() async throws {
    let letter = letter(SampleJobs.full(run: 2, attempt: 4), detail: "\"quoted\", 'quoted', \\ and ünïcode 🐈")
    try await index.record([letter])
    try requireEqual(try await index.letters(DeadLetterFilter()), [letter], "the open letters")
  }

  private func recordsOnce() async throws {
    let letters = [letter(), letter()]
    try await index.record(letters)
    try await index.record(letters)
    try await requireOpen(letters, "after recording them twice")
    _ = try await index.retry(DeadLetterFilter(ids: [letters[0].jobRun.id]), by: "test")
    _ = try await index.archive(DeadLetterFilter(ids: [letters[1].jobRun.id]), by: "test")
    try await index.record(letters)
    try await requireOpen([], "after they were retried or archived, and recorded again")
    try requireEqual(try await store.outbox().count, 1, "the number of retries in the outbox")
  }

  private func recordsDuplicatesOnce() async throws {
    let (twin, other) = (letter(), letter())
    try await index.record([twin, other, twin])
    try await requireOpen([twin, other], "after recording one of them twice")
    try await index.record([])
  }

  private func dropsCompleted() async throws {
    let (completed, dead) = (letter(), letter())
    try require(try await complete(completed.jobRun), "a new job could not be completed")
    try await index.record([completed, dead])
    try await requireOpen([dead], "after one of two jobs was completed")
  }

  private func dropsCancelled() async throws {
    let cancelled = letter()
    _ = try await complete(cancelled.jobRun) { $0.outcomes[cancelled.jobRun] = .cancelled(reason: "too late") }
    try await index.record([cancelled])
    try await requireOpen([], "after the job was cancelled")
  }

  private func stopsLateCopies() async throws {
    let letter = letter()
    try await index.record([letter])
    try require(try await !complete(letter.jobRun), "a dead job could be completed")
    try await requireOpen([letter], "after a late copy")
  }

  private func waitsForTheTransaction(commits: Bool) async throws {
    let letter = letter()
    let (inside, leave) = (Gate(), Gate())
    async let completion: Void = holdTransaction(letter.jobRun, inside: inside, leave: leave, commits: commits)
    try await inside.wait()
    async let recording: Void = recordRetryingContention([letter])
    // Some round trips, so that the recording would end first if it did not wait.
    for _ in 0..<20 {
      await Task.yield()
      _ = try await index.groups()
    }
    leave.open()
    try await completion
    try await recording
    try await requireOpen(commits ? [] : [letter], "after the end of the transaction")
    try require(try await !complete(letter.jobRun), "the job could still be completed")
  }

  private func holdTransaction(_ job: JobRun, inside: Gate, leave: Gate, commits: Bool) async throws {
    let receipt = JobReceipt(jobRun: job, kind: "test.full", pool: pool)
    _ = try await store.complete([receipt], deadline: .now + .seconds(10)) { _, _ in
      inside.open()
      try await leave.wait()
      var completion = Completion()
      completion.rollsBack = !commits
      return completion
    }
  }

  /// Others may hold a letter's job for longer than the index waits.
  private func recordRetryingContention(_ letters: [DeadLetter]) async throws {
    while true {
      do { return try await index.record(letters) } catch JobStoreError.contention { continue }
    }
  }

  private func recordsConcurrently() async throws {
    let letters = (0..<5).map { _ in letter() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for round in 0..<8 {
        let order = round.isMultiple(of: 2) ? letters : letters.reversed()
        group.addTask { try await recordRetryingContention(order) }
      }
      try await group.waitForAll()
    }
    try await requireOpen(letters, "after eight concurrent recordings")
  }

  private func keepsUnreadable() async throws {
    let deadLetterInfo = SampleJobs.deadLetterInfo(pool: pool, reason: .unreadable)
    let body = Data([0xff, 0x00, 0xfe])
    let letter = DeadLetter(
      jobRun: JobRun(id: JobID(), run: 0), envelope: nil, deadLetterInfo: deadLetterInfo, body: body)
    try await index.record([letter])
    try requireEqual(try await index.letters(DeadLetterFilter()), [letter], "the open letters")
    let result = try await index.retry(DeadLetterFilter(), by: "test")
    try requireEqual(result, RedriveResult(retried: 0, skipped: 1), "a retry of an unreadable message")
    try await requireOpen([letter], "after that retry")
    try requireEqual(try await index.archive(DeadLetterFilter(), by: "test"), 1, "the number of archived letters")
  }

  private func recordsTheNextRun() async throws {
    let first = letter()
    try await index.record([first])
    _ = try await index.retry(DeadLetterFilter(), by: "test")
    guard let next = try await store.outbox().first?.envelope else {
      throw ConformanceFailure("the retry is not in the outbox")
    }
    let second = letter(next)
    try await index.record([second])
    try await requireOpen([second], "after the second run died")
    _ = try await index.retry(DeadLetterFilter(), by: "test")
    let runs = try await store.outbox().map(\.envelope.run)
    try requireEqual(Set(runs), [2, 3], "the runs in the outbox")
  }
}
