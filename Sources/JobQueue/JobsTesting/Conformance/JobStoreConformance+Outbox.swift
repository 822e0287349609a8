internal import Foundation
internal import Jobs

extension JobStoreConformance {
  static var outboxRules: [Rule] {
    [
      Rule("the relay publishes entries of the outbox, oldest first") { try await $0.relaysInOrder() },
      Rule("published entries are deleted, the others stay") { try await $0.relayDeletesPublished() },
      Rule("the relay skips entries that are younger than the given age") { try await $0.relaySkipsYoungEntries() },
      Rule("the relay takes no more entries than its limit") { try await $0.relayRespectsItsLimit() },
      Rule("a relay skips entries that another relay has") { try await $0.relaysShareEntries() },
      Rule("deleted entries are gone, and deleting them again is no error") { try await $0.deletes() },
    ]
  }

  static var schedulingRules: [Rule] {
    [
      Rule("a scheduled job is released when it is due, unchanged") { try await $0.releasesWhenDue() },
      Rule("scheduling the same run again replaces the first") { try await $0.replacesScheduled() },
      Rule("due jobs are released in the order of their due times, up to the limit") { try await $0.releasesInOrder() },
      Rule("a released job is in the outbox until it is deleted there") { try await $0.movesToOutbox() },
      Rule("an entry that could not be published does not block the others") { try await $0.retriesFailuresLast() },
      Rule("of several concurrent releases, one gets each due job") { try await $0.releasesEachOnce() },
      Rule("parked jobs are released when their kind is resumed, and not before") { try await $0.parks() },
    ]
  }

  static var startMarkerRules: [Rule] {
    [Rule("start markers are counted for each run until they are cleared") { try await $0.countsStarts() }]
  }

  private func bareJobs(_ count: Int) -> [JobEnvelope] { (0..<count).map { _ in SampleJobs.bare() } }

  private func relaysInOrder() async throws {
    let jobs = [SampleJobs.full()] + bareJobs(3)
    try await fillOutbox(jobs)
    try await requireOutbox(jobs, inOrder: true)
  }

  private func relayDeletesPublished() async throws {
    let jobs = bareJobs(4)
    try await fillOutbox(jobs)
    _ = try await store.relayOutbox(olderThan: .zero, limit: 10) { _ in [jobs[0].jobRun, jobs[2].jobRun] }
    try await requireOutbox([jobs[1], jobs[3]])
    let count = try await store.relayOutbox(olderThan: .zero, limit: 10) { $0.map(\.envelope.jobRun) }
    try requireEqual(count, 2, "the number of published entries")
    try await requireOutbox([])
    let none = try await store.relayOutbox(olderThan: .zero, limit: 10) { $0.map(\.envelope.jobRun) }
    try requireEqual(none, 0, "the number of entries published from an empty outbox")
  }

  private func relaySkipsYoungEntries() async throws {
    let jobs = bareJobs(2)
    try await fillOutbox(jobs)
    let count = try await store.relayOutbox(olderThan: .seconds(3_600), limit: 10) { $0.map(\.envelope.jobRun) }
    try requireEqual(count, 0, "the number of young entries that were published")
    try await requireOutbox(jobs)
  }

  private func relayRespectsItsLimit() async throws {
    let jobs = bareJobs(5)
    try await fillOutbox(jobs)
    let count = try await store.relayOutbox(olderThan: .zero, limit: 2) { $0.map(\.envelope.jobRun) }
    try requireEqual(count, 2, "the number of published entries")
    try await requireOutbox(Array(jobs.dropFirst(2)))
  }

  private func relaysShareEntries() async throws {
    let jobs = bareJobs(6).map(\.asCounted)
    try await fillOutbox(jobs)
    let (inside, leave, firstGot) = (Gate(), Gate(), Locked<[JobEnvelope]>([]))
    async let first = store.relayOutbox(olderThan: .zero, limit: 3) { entries in
      firstGot.change { $0 = entries.map(\.envelope) }
      inside.open()
      try? await leave.wait()
      return []
    }
    try await inside.wait()
    let second = try await store.outbox().map(\.envelope)
    try requireEqual(firstGot.value, Array(jobs.prefix(3)), "what the first relay got")
    try requireEqual(second, Array(jobs.suffix(3)), "what the second relay got")
    leave.open()
    _ = try await first
    try await requireOutbox(jobs)
  }

  private func deletes() async throws {
    let jobs = bareJobs(3)
    try await fillOutbox(jobs)
    try await store.deleteFromOutbox([jobs[0].jobRun, jobs[2].jobRun])
    try await requireOutbox([jobs[1]])
    try await store.deleteFromOutbox(jobs.map(\.jobRun) + [JobRun(id: JobID())])
    try await store.deleteFromOutbox([])
    try await requireOutbox([])
  }

  private func releasesWhenDue() async throws {
    let (late, due) = (SampleJobs.bare(), SampleJobs.full(run: 2, attempt: 3))
    try await store.schedule(late, pool: "test.pool", after: .seconds(3_600))
    try await store.schedule(due, pool: "test.pool", after: .seconds(-1))
    let released = try await store.releaseDueJobs(limit: 10)
    try requireEqual(released.map(\.envelope), [due], "the jobs that are due")
    try requireEqual(released.map(\.pool), ["test.pool"], "their pools")
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a job was released twice, or too early")
  }

  private func replacesScheduled() async throws {
    var job = SampleJobs.full()
    try await store.schedule(job, pool: "test.pool", after: .seconds(3_600))
    job.attempt = 2
    job.body = Data("another".utf8)
    try await store.schedule(job, pool: "test.other", after: .seconds(-1))
    let released = try await store.releaseDueJobs(limit: 10)
    try requireEqual(released.map(\.envelope.attempt), [2], "the attempts of the jobs that are due")
    try requireEqual(released.map(\.envelope.body), [job.body], "their bodies")
    try requireEqual(released.map(\.pool), ["test.other"], "their pools")
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "the job was released twice")
  }

  private func releasesInOrder() async throws {
    let jobs = bareJobs(5)
    for (index, job) in jobs.enumerated().reversed() {
      try await store.schedule(job, pool: "test.pool", after: .seconds(index - 100))
    }
    let first = try await store.releaseDueJobs(limit: 2)
    try requireEqual(Set(first.map(\.envelope.id)), Set(jobs.prefix(2).map(\.id)), "the first two due jobs")
    let rest = try await store.releaseDueJobs(limit: 10)
    try requireEqual(Set(rest.map(\.envelope.id)), Set(jobs.dropFirst(2).map(\.id)), "the due jobs after them")
  }

  private func movesToOutbox() async throws {
    let job = SampleJobs.full()
    try await store.schedule(job, pool: "test.pool", after: .seconds(-1))
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireOutbox([job])
    // Scheduled again before the entry was deleted: it is released after the deletion, which would delete it too.
    var next = job
    next.attempt = 2
    try await store.schedule(next, pool: "test.pool", after: .seconds(-1))
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireOutbox([job])
    try await store.deleteFromOutbox([job.jobRun])
    try await requireOutbox([])
    _ = try await store.releaseDueJobs(limit: 10)
    try await requireOutbox([next])
  }

  private func retriesFailuresLast() async throws {
    let jobs = bareJobs(3)
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
    let jobs = bareJobs(30)
    for job in jobs { try await store.schedule(job, pool: "test.pool", after: .seconds(-1)) }
    var released = try await withThrowingTaskGroup(of: [JobID].self) { group in
      for _ in 0..<6 {
        group.addTask { try await store.releaseDueJobs(limit: 7).map(\.envelope.id) }
      }
      var ids: [JobID] = []
      for try await some in group { ids += some }
      return ids
    }
    released += try await store.releaseDueJobs(limit: 100).map(\.envelope.id)
    try requireEqual(released.count, jobs.count, "the number of released jobs")
    try requireEqual(Set(released), Set(jobs.map(\.id)), "the released jobs")
  }

  private func parks() async throws {
    let (parked, resumed, other) = (SampleJobs.bare(kind: "test.parked"), SampleJobs.bare(), SampleJobs.bare())
    try await store.park(parked, pool: "test.pool")
    try await store.park(resumed, pool: "test.pool")
    try await store.park(other, pool: "test.other")
    let late = SampleJobs.bare()
    try await store.schedule(late, pool: "test.pool", after: .seconds(3_600))
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a parked job was released")
    try requireEqual(
      try await store.unpark(pool: "test.pool", except: ["test.parked"], limit: 10), 1, "the number of unparked jobs")
    let released = try await store.releaseDueJobs(limit: 10).map(\.envelope.id)
    try requireEqual(released, [resumed.id], "the jobs that were unparked")
    try requireEqual(
      try await store.unpark(pool: "test.pool", except: [], limit: 1), 1, "the number of jobs unparked next")
    try requireEqual(
      try await store.releaseDueJobs(limit: 10).map(\.envelope.id), [parked.id], "the jobs that were unparked next")
    // Scheduling a parked job ends its parking.
    try await store.schedule(other, pool: "test.other", after: .seconds(3_600))
    try requireEqual(
      try await store.unpark(pool: "test.other", except: [], limit: 10), 0, "the number of jobs unparked last")
    try require(try await store.releaseDueJobs(limit: 10).isEmpty, "a scheduled job was unparked")
  }

  private func countsStarts() async throws {
    let id = JobID()
    let (first, second) = (JobRun(id: id), JobRun(id: id, run: 2))
    try requireEqual(try await store.history(of: first), RunHistory(), "the history of a new run")
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
