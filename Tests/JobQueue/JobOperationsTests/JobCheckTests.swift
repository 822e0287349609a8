import JobOperations
import Jobs
import Testing

/// Jobs and dead letters, and where they are.
struct JobCheckTests {
  private func dead(
    _ count: Int, in pool: PoolName, kind: JobKind = "booking.resolve", _ reason: DeadLetterReason = .attemptsExhausted,
    fingerprint: String = "abc123"
  ) -> BacklogSnapshot.DeadJobs {
    .init(pool: pool, kind: kind, reason: reason, fingerprint: fingerprint, count: count)
  }

  private func waiting(
    _ count: Int, for pool: PoolName, kind: JobKind = "booking.resolve", overdue: Int = 0
  ) -> BacklogSnapshot.PendingJobs {
    .init(pool: pool, kind: kind, count: count, overdue: overdue)
  }

  @Test func `a pool that was removed is named with all it has left, and what to do`() throws {
    var fixture = SnapshotFixture()
    fixture.broker.queued["booking.old"] = 12
    fixture.broker.deadLetters["booking.old"] = 3
    fixture.backlog.outbox = [waiting(2, for: "booking.old")]
    fixture.backlog.scheduled = [waiting(4, for: "booking.old", overdue: 4), waiting(1, for: "booking.old")]
    let finding = try fixture.finding()
    #expect(finding.check == .removedPools && finding.severity == .problem)
    #expect(
      finding.message == "booking.old is not in queues.yaml, and has left 12 jobs in its queue, 2 in the outbox, "
        + "5 scheduled, 3 dead letters not indexed")
    #expect(finding.commands == ["vluma move booking.old", "vluma move booking.old --dead"])
  }

  @Test func `an empty queue of a removed pool is not a finding`() {
    var fixture = SnapshotFixture()
    fixture.broker.queued["booking.old"] = 0
    fixture.broker.deadLetters["booking.old"] = 0
    #expect(fixture.report.isHealthy)
  }

  @Test func `indexed letters of a removed pool are moved only where a pool does their kind`() {
    var fixture = SnapshotFixture()
    fixture.backlog.dead = [dead(2, in: "booking.old"), dead(5, in: "booking.old", kind: "unreadable", .unreadable)]
    let findings = fixture.report.findings
    #expect(findings.map(\.check) == [.removedPools, .deadLetters])
    #expect(findings[0].severity == .warning)
    #expect(findings[0].message == "booking.old is not in queues.yaml, and has left 2 dead letters in the index")
    #expect(findings[0].commands == ["vluma move booking.old --dead"])
  }

  @Test func `names that are not one word to a shell are quoted`() throws {
    var fixture = SnapshotFixture()
    fixture.broker.queued["it's old"] = 1
    #expect(try fixture.finding().commands == [#"vluma move 'it'\''s old'"#])
  }

  @Test func `jobs that returned to a pool that was gone are named`() throws {
    var fixture = SnapshotFixture()
    fixture.broker.unroutable = 1
    let finding = try fixture.finding()
    #expect(finding.check == .unroutable && finding.severity == .problem)
    #expect(finding.message == "1 job came back from a retry to a pool that was gone")
    #expect(finding.commands == ["vluma move vluma.unroutable"])
  }

  @Test func `without the queue of unroutable jobs their number is unknown`() {
    var fixture = SnapshotFixture()
    fixture.broker.unroutable = nil
    #expect(fixture.report.status(.unroutable) == .unknown)
  }

  @Test func `jobs that are overdue in the outbox are counted by pool`() throws {
    var fixture = SnapshotFixture()
    fixture.backlog.outbox = [
      waiting(9, for: "booking.resolve", overdue: 5),
      waiting(2, for: "booking.resolve", kind: "booking.cancel", overdue: 1),
      waiting(1, for: "booking.validate", kind: "booking.validate", overdue: 1),
    ]
    let finding = try fixture.finding()
    #expect(finding.check == .outbox && finding.severity == .problem)
    #expect(
      finding.message
        == "7 jobs have been in the outbox for more than a minute: 6 for booking.resolve, 1 for booking.validate")
    #expect(finding.commands == ["vluma topology plan"])
  }

  @Test func `overdue jobs need a worker process`() {
    var fixture = SnapshotFixture()
    fixture.nodes = []
    fixture.backlog.scheduled = [waiting(1, for: "booking.resolve", overdue: 1)]
    let overdue = fixture.report.findings.first { $0.check == .scheduled }
    #expect(overdue?.message == "1 job is overdue by more than 10 s: 1 for booking.resolve")
    #expect(overdue?.commands == ["vluma work"])
  }

  @Test func `jobs in the store that are in time are not a finding`() {
    var fixture = SnapshotFixture()
    fixture.backlog.outbox = [waiting(4, for: "booking.resolve")]
    fixture.backlog.scheduled = [waiting(1_000, for: "booking.resolve")]
    let report = fixture.report
    #expect(report.isHealthy)
    #expect(report.checks.first { $0.check == .scheduled }?.note == "1000 jobs, none overdue")
  }

  @Test func `a kind without a pool is named once`() throws {
    var fixture = SnapshotFixture()
    fixture.backlog.outbox = [waiting(2, for: "booking.resolve", kind: "booking.swap")]
    fixture.backlog.scheduled = [waiting(1, for: "booking.validate", kind: "booking.swap")]
    let finding = try fixture.finding()
    #expect(finding.check == .kinds && finding.severity == .problem)
    #expect(
      finding.message == "the store holds 3 jobs of kind booking.swap, which no pool of queues.yaml does")
  }

  @Test func `jobs of a pool that no longer does their kind are to be moved`() throws {
    var fixture = SnapshotFixture()
    fixture.backlog.scheduled = [waiting(2, for: "booking.validate", kind: "booking.cancel")]
    let finding = try fixture.finding()
    #expect(
      finding.message == "2 jobs wait for booking.validate, of kind booking.cancel, which booking.resolve does now")
    #expect(finding.commands == ["vluma move booking.validate"])
  }

  @Test(arguments: [
    (
      "booking.validate", "booking.cancel", ["vluma move booking.validate --dead", "vluma dead retry --fingerprint f1"]
    ),
    ("booking.resolve", "booking.cancel", ["vluma dead retry --fingerprint f1"]),
    ("booking.resolve", "booking.swap", ["vluma dead archive --fingerprint f1"]),
  ])
  func `dead jobs of an unknown kind go to the pool that does it`(pool: String, kind: String, commands: [String]) {
    var fixture = SnapshotFixture()
    fixture.backlog.dead = [
      dead(2, in: PoolName(rawValue: pool), kind: JobKind(rawValue: kind), .unknownKind, fingerprint: "f1")
    ]
    let finding = fixture.report.findings.first { $0.check == .kinds }
    #expect(finding?.severity == .warning)
    #expect(finding?.commands == commands)
  }

  @Test func `dead letters are a warning, with the largest group`() throws {
    var fixture = SnapshotFixture()
    fixture.backlog.dead = [
      dead(9, in: "booking.resolve", fingerprint: "aaa"),
      dead(3, in: "booking.validate", kind: "booking.validate", .crashed, fingerprint: "bbb"),
      dead(1, in: "booking.resolve", kind: "booking.cancel", fingerprint: "ccc"),
    ]
    let finding = try fixture.finding()
    #expect(finding.check == .deadLetters && finding.severity == .warning)
    #expect(
      finding.message == "13 dead letters: 10 of booking.resolve, 3 of booking.validate; the largest group is "
        + "9 of kind booking.resolve, attempts_exhausted")
    #expect(finding.commands == ["vluma dead groups", "vluma dead retry --fingerprint aaa"])
  }
}
