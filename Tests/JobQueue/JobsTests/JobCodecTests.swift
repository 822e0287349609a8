import Foundation
import Jobs
import Testing

struct JobCodecTests {
  private let job = SampleJob(
    to: "a/b \u{e7}", weight: 2, at: Date(timeIntervalSince1970: 1_773_050_400), priority: .fast,
    lines: [.init(count: 1), .init(count: -5)])

  private func envelope(_ body: String, schemaVersion: Int = 3) -> JobEnvelope {
    JobEnvelope(kind: SampleJob.kind, schemaVersion: schemaVersion, body: Data(body.utf8))
  }

  /// Why a body cannot be read.
  private func failure(_ body: String) throws -> String {
    let error = try #require(throws: JobCodec.Failure.self) {
      try JobCodec.decode(SampleJob.self, from: envelope(body))
    }
    guard case .unreadable(let what) = error else {
      Issue.record("\(error) is not unreadable")
      return ""
    }
    return what
  }

  @Test func `a job survives coding`() throws {
    let envelope = try JobCodec.envelope(for: job, tenant: nil)
    #expect(try JobCodec.decode(SampleJob.self, from: envelope) == job)
  }

  @Test func `a job's JSON has sorted keys, plain slashes and readable dates`() throws {
    let body = String(decoding: try JobCodec.encode(job), as: UTF8.self)
    let document = """
      {"at":"2026-03-09T10:00:00Z","lines":[{"count":1},{"count":-5}],"priority":"fast","to":"a/b \u{e7}","weight":2}
      """
    #expect(body == document)
    #expect(try JobCodec.encode(job) == JobCodec.encode(job))
  }

  @Test func `an envelope carries what is known of the job`() throws {
    let (id, tenant) = (JobID(), UUID())
    let deadline = Date(timeIntervalSince1970: 2_000_000_000)
    let envelope = try JobCodec.envelope(
      for: job, id: id, tenant: tenant, deadline: deadline, correlationID: "request-1", traceparent: "00-1-2-01")
    #expect(envelope.jobRun == JobRun(id: id, run: 1))
    #expect(envelope.kind == "test.sample")
    #expect(envelope.schemaVersion == 3)
    #expect(envelope.tenant == tenant)
    #expect(envelope.attempt == 1)
    #expect(envelope.deadline == deadline)
    #expect(envelope.correlationID == "request-1")
    #expect(envelope.traceparent == "00-1-2-01")
    #expect(abs(envelope.enqueuedAt.timeIntervalSinceNow) < 60)
    #expect(try envelope.body == JobCodec.encode(job))
    #expect(try JobCodec.envelope(for: FollowUpJob(to: "Ana"), tenant: nil).schemaVersion == 1)
  }

  @Test func `a newer schema is rejected before the body is read`() {
    #expect(throws: JobCodec.Failure.newerSchema(found: 4, known: 3)) {
      try JobCodec.decode(SampleJob.self, from: envelope("not even JSON", schemaVersion: 4))
    }
    let text = JobCodec.Failure.newerSchema(found: 4, known: 3).description
    #expect(text == "schema version 4 is newer than this program's 3: update the workers")
  }

  @Test(arguments: 1...3)
  func `an older schema is read`(_ version: Int) throws {
    let job = try JobCodec.decode(
      SampleJob.self, from: envelope(#"{"to":"Ana","weight":1,"lines":[]}"#, schemaVersion: version))
    #expect(job == SampleJob(to: "Ana", weight: 1))
  }

  @Test func `unknown fields are ignored`() throws {
    let job = try JobCodec.decode(
      SampleJob.self, from: envelope(#"{"to":"Ana","weight":1,"lines":[],"more":{"x":[1]}}"#))
    #expect(job.weight == 1)
  }

  @Test(
    arguments: zip(
      [
        #"{"to":"5511999990000","lines":[]}"#,
        #"{"to":"5511999990000","weight":"5511999990000","lines":[]}"#,
        #"{"to":"5511999990000","weight":null,"lines":[]}"#,
        #"{"to":"5511999990000","weight":5511999990000.5,"lines":[]}"#,
        #"{"to":"5511999990000","weight":55119999900005511999990000,"lines":[]}"#,
        #"{"to":5511999990000,"weight":1,"lines":[]}"#,
        #"{"to":"","weight":1,"at":"5511999990000","lines":[]}"#,
        #"{"to":"","weight":1,"at":5511999990000,"lines":[]}"#,
        #"{"to":"","weight":1,"priority":"5511999990000","lines":[]}"#,
        #"{"to":"","weight":1,"lines":"5511999990000"}"#,
        #"{"to":"","weight":1,"lines":[{"count":1},{"count":"5511999990000"}]}"#,
        #"{"to":"","weight":1,"lines":[{"number":5511999990000}]}"#,
      ],
      [
        "weight", "weight", "weight", "a value in it", "a value in it", "to", "a value in it", "at", "priority",
        "lines",
        "lines", "lines",
      ]))
  func `an unreadable field is named, and its value is not quoted`(_ body: String, _ field: String) throws {
    let what = try failure(body)
    #expect(what.hasPrefix(field), "\(what)")
    #expect(!what.contains("5511999990000"), "\(what)")
  }

  @Test func `a field deep inside is named with its path`() throws {
    let what = try failure(#"{"to":"","weight":1,"lines":[{"count":1},{"count":"x"}]}"#)
    #expect(what.hasPrefix("lines."))
    #expect(what.contains(".count "))
  }

  @Test func `a missing field is reported as missing`() throws {
    #expect(try failure(#"{"to":"Ana","lines":[]}"#) == "weight is missing")
  }

  @Test(arguments: ["", "nonsense 5511999990000", #"{"to":"5511999990000""#, "\u{0}"])
  func `a body that is not JSON is reported as such`(_ body: String) throws {
    #expect(try failure(body) == "it is not JSON")
  }

  @Test(arguments: ["[]", #""5511999990000""#, "5511999990000", "null", "true"])
  func `JSON that is not an object is described in a whole sentence`(_ body: String) throws {
    let what = try failure(body)
    #expect(what.first?.isLetter == true, "\(what)")
    #expect(!what.contains("5511999990000"), "\(what)")
    #expect(!JobCodec.Failure.unreadable(what).description.contains("  "))
  }

  @Test func `bytes that are not text are not JSON`() {
    let envelope = JobEnvelope(kind: SampleJob.kind, schemaVersion: 3, body: Data([0xff, 0xfe, 0x80, 0x00]))
    #expect(throws: JobCodec.Failure.self) { try JobCodec.decode(SampleJob.self, from: envelope) }
  }
}
