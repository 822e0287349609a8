import Jobs
import Operations
import Testing

/// Settings and servers.
struct DiagnosisServerTests {
  @Test func `of a healthy platform nothing is found`() {
    let diagnosis = Patient().diagnosis
    #expect(diagnosis.isHealthy)
    #expect(diagnosis.findings.isEmpty)
    #expect(diagnosis.checks.map(\.check) == HealthCheck.allCases)
    #expect(diagnosis.all(.ok) == Set(HealthCheck.allCases))
  }

  @Test func `without the broker everything else is still looked at`() {
    var patient = Patient()
    patient.remains.delayed = [.init(pool: "booking.resolve", kind: "booking.cancel", count: 3, late: 2)]
    patient.remains.outbox = [.init(pool: "booking.old", kind: "booking.cancel", count: 1, late: 0)]
    var examination = patient.examination
    examination.broker = .failed("cannot connect to RabbitMQ at broker:5672: refused")
    let diagnosis = Diagnosis(examination)
    #expect(diagnosis.all(.problem) == [.rabbitMQ, .delayed, .removedPools])
    #expect(diagnosis.all(.unknown) == [.flow, .unroutable])
    let finding = diagnosis.findings.first { $0.check == .rabbitMQ }
    #expect(finding?.sentence == "cannot connect to RabbitMQ at broker:5672: refused")
    #expect(finding?.advice.contains("VLUMA_RABBITMQ_URL") == true)
  }

  @Test func `without the database everything else is still looked at`() {
    var patient = Patient()
    patient.broker.unroutable = 4
    patient.broker.ready["booking.old"] = 2
    var examination = patient.examination
    examination.ledger = .failed("cannot connect to PostgreSQL at database:5432/vluma: refused")
    let diagnosis = Diagnosis(examination)
    #expect(diagnosis.all(.problem) == [.postgreSQL, .unroutable, .removedPools])
    #expect(
      diagnosis.all(.unknown) == [.nodes, .flow, .kinds, .outbox, .delayed, .poolSettings, .deadLetters])
    #expect(!diagnosis.isHealthy)
  }

  @Test func `Redis away is a warning, and no Redis is none`() throws {
    var examination = Patient().examination
    examination.redis = .failed("cannot connect to Redis at cache:6379: refused")
    let diagnosis = Diagnosis(examination)
    #expect(diagnosis.all(.warning) == [.redis])
    #expect(diagnosis.findings.map(\.severity) == [.warning])
    examination.redis = .seen(nil)
    #expect(Diagnosis(examination).isHealthy)
  }

  @Test func `a file that cannot be used is one finding, and what hangs on it is unknown`() throws {
    var patient = Patient()
    patient.settings.pools = nil
    patient.settings.fileProblems = ["queues.yaml:4:30: job kind \"booking.valdate\" has no worker", "a", "b"]
    patient.broker.missing = nil
    let finding = try patient.finding()
    #expect(finding.check == .settings)
    #expect(
      finding.sentence == "queues.yaml:4:30: job kind \"booking.valdate\" has no worker (and 2 other problems)")
    #expect(finding.commands == ["vluma check"])
    #expect(patient.diagnosis.all(.unknown) == [.nodes, .flow, .removedPools, .kinds, .poolSettings])
    #expect(patient.diagnosis.verdict(.rabbitMQ) == .ok)
  }

  @Test func `every variable that is wrong is named`() {
    var patient = Patient()
    patient.settings.variables = ["VLUMA_HTTP_PORT must be a number", "VLUMA_LOG_LEVEL must be one of info"]
    let findings = patient.diagnosis.findings
    #expect(findings.map(\.sentence) == patient.settings.variables)
    #expect(findings.allSatisfy { $0.severity == .problem && $0.commands == ["vluma check --env"] })
  }

  @Test func `a server whose variable is wrong was not asked, which is no finding of its own`() {
    var examination = Patient().examination
    examination.settings.variables = ["VLUMA_REDIS_URL is malformed"]
    examination.redis = .skipped("VLUMA_REDIS_URL is malformed")
    let diagnosis = Diagnosis(examination)
    #expect(diagnosis.findings.map(\.check) == [.settings])
    #expect(diagnosis.verdict(.redis) == .unknown)
  }

  @Test func `what the broker lacks is to be applied`() throws {
    var patient = Patient()
    patient.broker.missing = ["queue booking.resolve", "queue booking.resolve.dead"]
    let finding = try patient.finding()
    #expect(finding.check == .rabbitMQ && finding.severity == .problem)
    #expect(finding.sentence == "the broker lacks queue booking.resolve, queue booking.resolve.dead")
    #expect(finding.commands == ["vluma topology apply"])
  }

  @Test func `a long list is cut`() throws {
    var patient = Patient()
    patient.broker.missing = (1...9).map { "queue q\($0)" }
    #expect(
      try patient.finding().sentence == "the broker lacks queue q1, queue q2, queue q3, queue q4 and 5 more")
  }

  @Test func `a queue with other arguments is deleted only when it is empty`() throws {
    var patient = Patient()
    patient.broker.different = [.init(name: "queue booking.resolve", detail: "inequivalent arg 'x-max-length'")]
    let finding = try patient.finding()
    #expect(finding.sentence.contains("queue booking.resolve") && finding.sentence.contains("x-max-length"))
    #expect(finding.commands == ["rabbitmqctl delete_queue booking.resolve --if-empty", "vluma topology apply"])
  }

  @Test func `migrations that are missing are to be applied`() throws {
    var patient = Patient()
    patient.ledger.pending = ["jobs_0002_partitions"]
    var examination = patient.examination
    patient.ledger.holdings = nil
    examination.ledger = .seen(patient.ledger)
    let diagnosis = Diagnosis(examination)
    #expect(diagnosis.findings.map(\.commands) == [["vluma migrate"]])
    #expect(diagnosis.verdict(.outbox) == .unknown)
    #expect(diagnosis.checks.first { $0.check == .outbox }?.note == "not known: the database is not up to date")
  }

  @Test func `a database that is newer than the program is a warning`() throws {
    var patient = Patient()
    patient.ledger.unknown = ["jobs_0099_future"]
    let finding = try patient.finding()
    #expect(finding.check == .postgreSQL && finding.severity == .warning)
    #expect(finding.sentence.contains("jobs_0099_future"))
    #expect(finding.advice.contains("older than the database"))
  }

  @Test func `a migration that was edited stands in the way`() throws {
    var patient = Patient()
    patient.ledger.obstacle = "migration jobs_0001_ledger was applied with another text"
    let finding = try patient.finding()
    #expect(finding.severity == .problem)
    #expect(finding.sentence == "migration jobs_0001_ledger was applied with another text")
  }
}
