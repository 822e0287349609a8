import Foundation
import Jobs
import Testing

struct JobEnvelopeTests {
  private let whole = JobEnvelope(
    id: JobID(), run: 2, kind: "test.sample", schemaVersion: 3, tenant: UUID(), attempt: 4,
    enqueuedAt: Date(timeIntervalSince1970: 1_773_050_400.125), deadline: Date(timeIntervalSince1970: 1_773_054_000.5),
    correlationID: "request-1", traceparent: "00-1-2-01", body: Data("secret".utf8))

  @Test func `an envelope is coded without its body`() throws {
    let document = String(decoding: try JSONEncoder().encode(whole), as: UTF8.self)
    #expect(!document.contains("body"))
    #expect(!document.contains("secret"))
    #expect(!document.contains(Data("secret".utf8).base64EncodedString()))
  }

  @Test func `all but the body survives coding`() throws {
    var expected = whole
    expected.body = Data()
    #expect(try JSONDecoder().decode(JobEnvelope.self, from: JSONEncoder().encode(whole)) == expected)
  }

  @Test func `what may be unknown may be missing`() throws {
    let bare = JobEnvelope(kind: "test.sample", body: Data())
    let restored = try JSONDecoder().decode(JobEnvelope.self, from: JSONEncoder().encode(bare))
    #expect(restored == bare)
    #expect(restored.tenant == nil && restored.deadline == nil)
    #expect(restored.correlationID == nil && restored.traceparent == nil)
  }

  @Test(arguments: ["id", "run", "kind", "schemaVersion", "attempt", "enqueuedAt"])
  func `what must be known may not be missing`(_ field: String) throws {
    let document = try JSONEncoder().encode(whole)
    var fields = try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
    #expect(fields.removeValue(forKey: field) != nil)
    let rest = try JSONSerialization.data(withJSONObject: fields)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(JobEnvelope.self, from: rest) }
  }

  @Test func `a fresh envelope is the first attempt of the first run`() {
    let fresh = JobEnvelope(kind: "test.sample", body: Data())
    #expect(fresh.jobRun == JobRun(id: fresh.id, run: 1))
    #expect(fresh.attempt == 1)
    #expect(fresh.schemaVersion == 1)
    #expect(abs(fresh.enqueuedAt.timeIntervalSinceNow) < 60)
  }

  @Test func `a job that follows takes over tenant, correlation and trace`() throws {
    var followUps = FollowUps()
    let due = Date(timeIntervalSince1970: 2_000_000_000)
    try followUps.enqueue(FollowUpJob(to: "Ana"), from: JobInfo(whole), dueAt: due, deadline: due + 60)
    let item = try #require(followUps.items.first)
    #expect(item.dueAt == due)
    #expect(item.envelope.deadline == due + 60)
    #expect(item.envelope.kind == "test.follow_up")
    #expect(item.envelope.tenant == whole.tenant)
    #expect(item.envelope.correlationID == "request-1")
    #expect(item.envelope.traceparent == "00-1-2-01")
    #expect(item.envelope.attempt == 1 && item.envelope.run == 1)
    #expect(item.envelope.id != whole.id)
    #expect(try JobCodec.decode(FollowUpJob.self, from: item.envelope) == FollowUpJob(to: "Ana"))
  }

  @Test func `a job that follows from one without a correlation is known by that job's id`() throws {
    var first = whole
    first.correlationID = nil
    var followUps = FollowUps()
    try followUps.enqueue(FollowUpJob(to: "Ana"), from: JobInfo(first))
    try followUps.enqueue(FollowUpJob(to: "Rui"), from: JobInfo(first))
    #expect(followUps.items.map(\.envelope.correlationID) == ["\(first.id)", "\(first.id)"])
    #expect(followUps.items.map(\.dueAt) == [nil, nil])
  }
}
