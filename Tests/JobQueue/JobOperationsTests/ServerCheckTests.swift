import JobConfiguration
import JobOperations
import Jobs
import Testing

/// Settings and servers.
struct ServerCheckTests {
  @Test func `of a healthy platform nothing is found`() {
    let report = SnapshotFixture().report
    #expect(report.isHealthy)
    #expect(report.findings.isEmpty)
    #expect(report.checks.map(\.check) == DoctorCheck.allCases)
    #expect(report.all(.ok) == Set(DoctorCheck.allCases))
  }

  @Test func `without the broker everything else is still checked`() {
    var fixture = SnapshotFixture()
    fixture.backlog.scheduled = [.init(pool: "booking.resolve", kind: "booking.cancel", count: 3, overdue: 2)]
    fixture.backlog.outbox = [.init(pool: "booking.old", kind: "booking.cancel", count: 1, overdue: 0)]
    var snapshot = fixture.snapshot
    snapshot.broker = .failed("cannot connect to RabbitMQ at broker:5672: refused")
    let report = DoctorReport(snapshot)
    #expect(report.all(.problem) == [.rabbitMQ, .scheduled, .removedPools])
    #expect(report.all(.unknown) == [.flow, .unroutable])
    let finding = report.findings.first { $0.check == .rabbitMQ }
    #expect(finding?.message == "cannot connect to RabbitMQ at broker:5672: refused")
    #expect(finding?.advice.contains("VLUMA_RABBITMQ_URL") == true)
  }

  @Test func `without the database everything else is still checked`() {
    var fixture = SnapshotFixture()
    fixture.broker.unroutable = 4
    fixture.broker.queued["booking.old"] = 2
    var snapshot = fixture.snapshot
    snapshot.store = .failed("cannot connect to PostgreSQL at database:5432/vluma: refused")
    let report = DoctorReport(snapshot)
    #expect(report.all(.problem) == [.postgreSQL, .unroutable, .removedPools])
    #expect(
      report.all(.unknown) == [
        .nodes, .descriptors, .flow, .missingJobs, .kinds, .outbox, .scheduled, .poolSettings, .deadLetters,
      ])
    #expect(!report.isHealthy)
  }

  @Test func `Redis away is a warning, and no Redis is none`() throws {
    var snapshot = SnapshotFixture().snapshot
    snapshot.redis = .failed("cannot connect to Redis at cache:6379: refused")
    let report = DoctorReport(snapshot)
    #expect(report.all(.warning) == [.redis])
    #expect(report.findings.map(\.severity) == [.warning])
    snapshot.redis = .answered(nil)
    #expect(DoctorReport(snapshot).isHealthy)
  }

  @Test func `a file that cannot be used is one finding, and what depends on it is unknown`() throws {
    var fixture = SnapshotFixture()
    fixture.settings.configuration = nil
    fixture.settings.fileProblems = ["queues.yaml:4:30: job kind \"booking.valdate\" has no worker", "a", "b"]
    fixture.broker.plan = nil
    let finding = try fixture.finding()
    #expect(finding.check == .settings)
    #expect(
      finding.message == "queues.yaml:4:30: job kind \"booking.valdate\" has no worker (and 2 other problems)")
    #expect(finding.commands == ["vluma check"])
    #expect(fixture.report.all(.unknown) == [.nodes, .flow, .removedPools, .kinds, .poolSettings])
    #expect(fixture.report.status(.rabbitMQ) == .ok)
  }

  @Test func `every variable that is wrong is named`() {
    var fixture = SnapshotFixture()
    fixture.settings.variables = ["VLUMA_HTTP_PORT must be a number", "VLUMA_LOG_LEVEL must be one of info"]
    let findings = fixture.report.findings
    #expect(findings.map(\.message) == fixture.settings.variables)
    #expect(findings.allSatisfy { $0.severity == .problem && $0.commands == ["vluma check --env"] })
  }

  @Test func `a server whose variable is wrong was not asked, which is no finding of its own`() {
    var snapshot = SnapshotFixture().snapshot
    snapshot.settings.variables = ["VLUMA_REDIS_URL is malformed"]
    snapshot.redis = .skipped("VLUMA_REDIS_URL is malformed")
    let report = DoctorReport(snapshot)
    #expect(report.findings.map(\.check) == [.settings])
    #expect(report.status(.redis) == .unknown)
  }

  @Test func `what the broker lacks is to be applied`() throws {
    var fixture = SnapshotFixture()
    fixture.broker.plan?.missing = ["queue booking.resolve", "queue booking.resolve.dead"]
    let finding = try fixture.finding()
    #expect(finding.check == .rabbitMQ && finding.severity == .problem)
    #expect(finding.message == "the broker lacks queue booking.resolve, queue booking.resolve.dead")
    #expect(finding.commands == ["vluma topology apply"])
  }

  @Test func `a long list is cut`() throws {
    var fixture = SnapshotFixture()
    fixture.broker.plan?.missing = (1...9).map { "queue q\($0)" }
    #expect(
      try fixture.finding().message == "the broker lacks queue q1, queue q2, queue q3, queue q4 and 5 more")
  }

  @Test func `a queue with other arguments is deleted only when it is empty`() throws {
    var fixture = SnapshotFixture()
    fixture.broker.plan?.different = [.init(name: "queue booking.resolve", detail: "inequivalent arg 'x-max-length'")]
    let finding = try fixture.finding()
    #expect(finding.message.contains("queue booking.resolve") && finding.message.contains("x-max-length"))
    #expect(finding.commands == ["rabbitmqctl delete_queue booking.resolve --if-empty", "vluma topology apply"])
  }

  @Test func `migrations that are missing are to be applied`() throws {
    var fixture = SnapshotFixture()
    fixture.store.pending = ["jobs_0002_index"]
    var snapshot = fixture.snapshot
    fixture.store.contents = nil
    snapshot.store = .answered(fixture.store)
    let report = DoctorReport(snapshot)
    #expect(report.findings.map(\.commands) == [["vluma migrate"]])
    #expect(report.status(.outbox) == .unknown)
    #expect(report.checks.first { $0.check == .outbox }?.note == "not known: the database is not up to date")
  }

  @Test func `a database that is newer than the program is a warning`() throws {
    var fixture = SnapshotFixture()
    fixture.store.unknown = ["jobs_0099_future"]
    let finding = try fixture.finding()
    #expect(finding.check == .postgreSQL && finding.severity == .warning)
    #expect(finding.message.contains("jobs_0099_future"))
    #expect(finding.advice.contains("older than the database"))
  }

  @Test func `a migration that was edited stands in the way`() throws {
    var fixture = SnapshotFixture()
    fixture.store.obstacle = "migration jobs_0001_initial was applied with another text"
    let finding = try fixture.finding()
    #expect(finding.severity == .problem)
    #expect(finding.message == "migration jobs_0001_initial was applied with another text")
  }
}
