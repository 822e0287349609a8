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

  @Test func `all fields but the body survive coding`() throws {
    var expected = whole
    expected.body = Data()
    #expect(try JSONDecoder().decode(JobEnvelope.self, from: JSONEncoder().encode(whole)) == expected)
  }

  @Test func `the coded form has keys in snake_case`() throws {
    let document = try JSONEncoder().encode(whole)
    let fields = try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
    #expect(
      fields.keys.sorted() == [
        "attempt", "correlation_id", "deadline", "enqueued_at", "id", "kind", "run", "schema_version", "tenant",
        "traceparent",
      ])
  }

  @Test func `an optional field may be missing`() throws {
    let bare = JobEnvelope(kind: "test.sample", body: Data())
    let restored = try JSONDecoder().decode(JobEnvelope.self, from: JSONEncoder().encode(bare))
    #expect(restored == bare)
    #expect(restored.tenant == nil && restored.deadline == nil)
    #expect(restored.correlationID == nil && restored.traceparent == nil)
  }

  @Test(arguments: ["id", "run", "kind", "schema_version", "attempt", "enqueued_at"])
  func `a required field may not be missing`(_ field: String) throws {
    let document = try JSONEncoder().encode(whole)
    var fields = try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
    #expect(fields.removeValue(forKey: field) != nil)
    let rest = try JSONSerialization.data(withJSONObject: fields)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(JobEnvelope.self, from: rest) }
  }

  @Test func `a new envelope is the first attempt of the first run`() {
    let new = JobEnvelope(kind: "test.sample", body: Data())
    #expect(new.jobRun == JobRun(id: new.id, run: 1))
    #expect(new.attempt == 1)
    #expect(new.schemaVersion == 1)
    #expect(abs(new.enqueuedAt.timeIntervalSinceNow) < 60)
  }
}
