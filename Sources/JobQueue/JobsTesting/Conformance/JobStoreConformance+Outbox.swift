internal import Foundation
internal import Jobs

extension JobStoreConformance {
  static var outboxRules: [Rule] {
    [
      Rule("the relay hands over what is in the outbox, oldest first") { try await $0.relaysInOrder() },
      Rule("what the relay could publish is forgotten, the rest stays") { try await $0.relayDeletesEnqueued() },
      Rule("young entries are left to those who committed them") { try await $0.relaySkipsYoungEntries() },
      Rule("a relay takes no more than its limit") { try await $0.relayRespectsItsLimit() },
      Rule("entries in one relay's hands are left out by another") { try await $0.relaysShareOut() },
      Rule("deleted entries are gone, and deleting them again is no error") { try await $0.deletes() },
    ]
  }

  static var schedulingRules: [Rule] {
    [
      Rule("a scheduled job comes when it is due, unchanged") { try await $0.comesWhenDue() },
      Rule("scheduling the same run again replaces the first") { try await $0.replacesScheduled() },
      Rule("due jobs come in the order of their times, up to the limit") { try await $0.comesInOrder() },
      Rule("a job that came due is in the outbox until it is enqueued") { try await $0.movesToOutbox() },
      Rule("an entry that could not be handed over holds up no other") { try await $0.retriesFailuresLast() },
      Rule("of several who look at once, one gets each due job") { try await $0.releasesEachOnce() },
      Rule("parked jobs come when their kind is resumed, and not before") { try await $0.parks() },
    ]
  }

  static var startMarkerRules: [Rule] {
    [Rule("starts are counted for each run until they are cleared") { try await $0.countsStarts() }]
  }

  private func sampleJobs(_ count: Int) -> [JobEnvelope] { (0..<count).map { _ in SampleJobs.bare() } }

  private func relaysInOrder() async throws {
    let jobs = [SampleJobs.full()] + sampleJobs(3)
    try await fillOutbox(jobs)
    try await requireOutbox(jobs, inOrder: true)
  }

  private func relayDeletesEnqueued() async throws {
    let jobs = sampleJobs(4)
    try await fillOutbox(jobs)
    _ = try await store.relayOutbox(olderThan: .zero, limit: 10) { _ in [jobs[0].jobRun, jobs[2].jobRun] }
    try await requireOutbox([jobs[1], jobs[3]])
    let count = try await store.relayOutbox(olderThan: .zero, limit: 10) { $0.map(\.envelope.jobRun) }
    try requireEqual(count, 2, "the number of entries that were handed over")
    try await requireOutbox([])
    let none = try await store.relayOutbox(olderThan: .zero, limit: 10) { $0.map(\.envelope.jobRun) }
    try requireEqual(none, 0, "the number of entries handed over from an empty outbox")
  }

  private func relaySkipsYoungEntries() async throws {
    let jobs = sampleJobs(2)
    try await fillOutbox(jobs)
    let count = try await store.relayOutbox(olderThan: .seconds(3_600), limit: 10) { $0.map(\.envelope.jobRun) }
    try requireEqual(count, 0, "the number of young entries that were handed over")
    try await requireOutbox(jobs)
  }

  private func relayRespectsItsLimit() async throws {
    let jobs = sampleJobs(5)
    try await fillOutbox(jobs)
    let count = try await store.relayOutbox(olderThan: .zero, limit: 2) { $0.map(\.envelope.jobRun) }
    try requireEqual(count, 2, "the number of entries that were handed over")
    try await requireOutbox(Array(jobs.dropFirst(2)))
  }

  private func relaysShareOut() async throws {
    let jobs = sampleJobs(6)
    try await fillOutbox(jobs)
    let (inside, leave, firstGot) = (Gate(), Gate(), Locked<[JobEnvelope]>([]))
    async let first = store.relayOutbox(olderThan: .zero, limit: 3) { entries in
      firstGot.change { $0 = entries.map(\.envelope) }
      inside.open()
      try? await leave.wait()
      return []
    }
    try await inside.wait()
    let second = try await outbox().map(\.envelope)
    try requireEqual(firstGot.value, Array(jobs.prefix(3)), "what the first relay got")
    try requireEqual(second, Array(jobs.suffix(3)), "what the second relay got")
    leave.open()
    _ = try await first
    try await requireOutbox(jobs)
  }

  private func deletes() async throws {
    let jobs = sampleJobs(3)
    try await fillOutbox(jobs)
    try await store.deleteFromOutbox([jobs[0].jobRun, jobs[2].jobRun])
    try await requireOutbox([jobs[1]])
    try await store.deleteFromOutbox(jobs.map(\.jobRun) + [JobRun(id: JobID())])
    try await store.deleteFromOutbox([])
    try await requireOutbox([])
  }

  private func comesWhenDue() async throws {
    let (late, due) = (SampleJobs.bare(), SampleJobs.full(run: 2, attempt: 3))
    try await store.schedule(late, pool: "test.pool", for: .seconds(3_600))
    try await store.schedule(due, pool: "test.pool", for: .seconds(-1))
    let released = try await store.releaseDueJobs(limit: 10)
    try requireEqual(released.map(\.envelope), [due], "the jobs that are due")
    try requireEqual(released.map(\.pool), ["test.pool"], "their pools")
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a job came twice, or before its time")
  }

  private func replacesScheduled() async throws {
    var job = SampleJobs.full()
    try await store.schedule(job, pool: "test.pool", for: .seconds(3_600))
    job.attempt = 2
    job.body = Data("another".utf8)
    try await store.schedule(job, pool: "test.other", for: .seconds(-1))
    let released = try await store.releaseDueJobs(limit: 10)
    try requireEqual(released.map(\.envelope.attempt), [2], "the attempts of the jobs that are due")
    try requireEqual(released.map(\.envelope.body), [job.body], "their bodies")
    try requireEqual(released.map(\.pool), ["test.other"], "their pools")
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "the job came twice")
  }

  private func comesInOrder() async throws {
    let jobs = sampleJobs(5)
    for (place, job) in jobs.enumerated().reversed() {
      try await store.schedule(job, pool: "test.pool", for: .seconds(place - 100))
    }
    let first = try await store.releaseDueJobs(limit: 2)
    try requireEqual(Set(first.map(\.envelope.id)), Set(jobs.prefix(2).map(\.id)), "the first two due jobs")
    let rest = try await store.releaseDueJobs(limit: 10)
    try requireEqual(Set(rest.map(\.envelope.id)), Set(jobs.dropFirst(2).map(\.id)), "the due jobs after them")
  }

  private func movesToOutbox() async throws {
    let job = SampleJobs.full()
    try await store.schedule(job, pool: "test.pool", for: .seconds(-1))
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireOutbox([job])
    // Put off once more before the entry was deleted: it waits until that has happened, or the deletion would take it
    // too.
    var next = job
    next.attempt = 2
    try await store.schedule(next, pool: "test.pool", for: .seconds(-1))
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireOutbox([job])
    try await store.deleteFromOutbox([job.jobRun])
    try await requireOutbox([])
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireOutbox([next])
  }

  private func retriesFailuresLast() async throws {
    let jobs = sampleJobs(3)
    try await fillOutbox(jobs)
    let offered = Locked<[JobRun]>([])
    for _ in 0..<3 {
      _ = try await store.relayOutbox(olderThan: .zero, limit: 1) { entries in
        offered.change { $0 += entries.map(\.envelope.jobRun) }
        return []
      }
    }
    try requireEqual(Set(offered.value), Set(jobs.map(\.jobRun)), "the entries that were offered one at a time")
  }

  private func releasesEachOnce() async throws {
    let jobs = sampleJobs(30)
    for job in jobs { try await store.schedule(job, pool: "test.pool", for: .seconds(-1)) }
    var released = try await withThrowingTaskGroup(of: [JobID].self) { group in
      for _ in 0..<6 {
        group.addTask { try await store.releaseDueJobs(limit: 7).map(\.envelope.id) }
      }
      var ids: [JobID] = []
      for try await some in group { ids += some }
      return ids
    }
    released += try await store.releaseDueJobs(limit: 100).map(\.envelope.id)
    try requireEqual(released.count, jobs.count, "the number of jobs that came")
    try requireEqual(Set(released), Set(jobs.map(\.id)), "the jobs that came")
  }

  private func parks() async throws {
    let (kept, freed, elsewhere) = (SampleJobs.bare(kind: "test.kept"), SampleJobs.bare(), SampleJobs.bare())
    try await store.park(kept, pool: "test.pool")
    try await store.park(freed, pool: "test.pool")
    try await store.park(elsewhere, pool: "test.other")
    let late = SampleJobs.bare()
    try await store.schedule(late, pool: "test.pool", for: .seconds(3_600))
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a parked job was released")
    try requireEqual(
      try await store.unpark(pool: "test.pool", except: ["test.kept"], limit: 10), 1, "the number of unparked jobs")
    let released = try await store.releaseDueJobs(limit: 10).map(\.envelope.id)
    try requireEqual(released, [freed.id], "the jobs that were unparked")
    try requireEqual(try await store.unpark(pool: "test.pool", except: [], limit: 1), 1, "the number then")
    try requireEqual(
      try await store.releaseDueJobs(limit: 10).map(\.envelope.id), [kept.id], "the jobs that were unparked then")
    // One that is put off for another reason is parked no longer.
    try await store.schedule(elsewhere, pool: "test.other", for: .seconds(3_600))
    try requireEqual(try await store.unpark(pool: "test.other", except: [], limit: 10), 0, "the number in the end")
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a scheduled job was unparked")
  }

  private func countsStarts() async throws {
    let id = JobID()
    let (first, second) = (JobRun(id: id), JobRun(id: id, run: 2))
    try requireEqual(try await store.history(of: first), RunHistory(), "what is known of a run that is new")
    for expected in 1...3 {
      try requireEqual(try await store.markStart(first, node: "node \(expected)"), expected, "the starts of run 1")
    }
    try requireEqual(try await store.markStart(second, node: "node"), 1, "the starts of run 2")
    let history = try await store.history(of: first)
    try requireEqual(history.starts, 3, "the starts in the history of run 1")
    let age = history.timeSinceLastStart ?? .seconds(-1)
    try require(age >= .zero && age < .seconds(30), "the last start was \(age) ago")
    try await store.clearStarts(first)
    try requireEqual(try await store.markStart(first, node: "node"), 1, "the starts of run 1 after they were cleared")
    try requireEqual(try await store.markStart(second, node: "node"), 2, "the starts of run 2")
    try await store.clearStarts(JobRun(id: JobID()))
  }
}
