import Foundation
import JobConfiguration
import Jobs
import RabbitMQ
import Testing
import Workers

@testable import JobsRabbitMQ

/// Old and new versions of the program run side by side during an upgrade: what one writes the other reads.
struct RecordedEnvelopeTests {
  @Test func `every kind of the platform is recorded`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .deletingLastPathComponent()
    let yaml = try String(contentsOf: root.appending(path: "queues.yaml"), encoding: .utf8)
    // The file's check finds a kind that is missing here, and one that is here alone.
    let workers = JobShape.all.map { KnownWorker(kind: $0.kind, takesBatches: true) }
    let configuration = try JobConfiguration(yaml: yaml, workers: workers)
    #expect(try RecordedMessage.kinds() == configuration.routes.keys.map(\.rawValue).sorted())
  }

  // MARK: Messages

  @Test(arguments: JobShape.all)
  func `a recorded message is read with everything it carries`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    let properties = recorded.properties
    let envelope = try recorded.envelope()
    func number(_ name: String) -> Int64? { properties.headers[name]?.integer }
    func date(_ name: String) -> Date? { number(name).map { Date(timeIntervalSince1970: Double($0) / 1_000) } }
    #expect("\(envelope.id)" == properties.messageID)
    #expect(envelope.kind == shape.kind)
    #expect(Int64(envelope.run) == number("vluma-run"))
    #expect(Int64(envelope.attempt) == number("vluma-attempt"))
    #expect(Int64(envelope.schemaVersion) == number("vluma-schema-version"))
    #expect(envelope.tenant?.uuidString.lowercased() == properties.headers["vluma-tenant"]?.string)
    #expect(envelope.enqueuedAt == date("vluma-enqueued-at"))
    #expect(envelope.deadline == date("vluma-deadline"))
    #expect(envelope.correlationID == properties.correlationID)
    #expect(envelope.traceparent == properties.headers["traceparent"]?.string)
    #expect(envelope.body == recorded.bytes)
  }

  @Test func `between them the recordings have every field that may be left out`() throws {
    let envelopes = try JobShape.all.map { try RecordedMessage.of($0.kind).envelope() }
    #expect(envelopes.contains { $0.tenant == nil } && envelopes.contains { $0.tenant != nil })
    #expect(envelopes.contains { $0.deadline == nil } && envelopes.contains { $0.deadline != nil })
    #expect(envelopes.contains { $0.correlationID == nil } && envelopes.contains { $0.correlationID != nil })
    #expect(envelopes.contains { $0.traceparent == nil } && envelopes.contains { $0.traceparent != nil })
    #expect(envelopes.contains { $0.run > 1 } && envelopes.contains { $0.attempt > 1 })
  }

  @Test(arguments: JobShape.all)
  func `today's program writes the message with all that was recorded`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    let before = recorded.properties
    let now = try recorded.envelope().properties()
    #expect(now.messageID == before.messageID)
    #expect(now.type == before.type)
    #expect(now.contentType == before.contentType)
    #expect(now.correlationID == before.correlationID)
    #expect(now.timestamp == before.timestamp)
    for (name, value) in before.headers { #expect(now.headers[name] == value, "\(name)") }
  }

  @Test(arguments: JobShape.all)
  func `today's program writes the body with all that was recorded`(_ shape: JobShape) throws {
    let envelope = try RecordedMessage.of(shape.kind).envelope()
    let body = try shape.rewritten(envelope)
    guard !shape.isRaw else {
      #expect(body == envelope.body)
      return
    }
    #expect(try JSONTree(envelope.body).differences(in: JSONTree(body)) == [])
  }

  // MARK: Newer and older ones

  @Test(arguments: JobShape.all)
  func `headers of tomorrow are passed over`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    var properties = recorded.properties
    properties.headers["vluma-of-tomorrow"] = .string("a text")
    properties.headers["vluma-count-of-tomorrow"] = .integer(-1)
    properties.headers["vluma-table-of-tomorrow"] = .unsupported
    #expect(try JobEnvelope(properties, body: recorded.bytes) == recorded.envelope())
  }

  @Test(arguments: JobShape.all.filter { !$0.isRaw })
  func `fields of tomorrow are passed over`(_ shape: JobShape) throws {
    var envelope = try RecordedMessage.of(shape.kind).envelope()
    let today = try shape.rewritten(envelope)
    envelope.body = Data(#"{"of_tomorrow":{"numbers":[1,2.5],"nothing":null},"#.utf8) + envelope.body.dropFirst()
    #expect(try shape.rewritten(envelope) == today)
  }

  @Test(arguments: JobShape.all)
  func `a newer shape is refused, whatever its body`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    var properties = recorded.properties
    properties.headers["vluma-schema-version"] = .integer(Int64(shape.schemaVersion + 1))
    let envelope = try JobEnvelope(properties, body: recorded.bytes)
    #expect(throws: JobCodec.Failure.newerSchema(found: shape.schemaVersion + 1, known: shape.schemaVersion)) {
      try shape.rewritten(envelope)
    }
  }

  @Test(arguments: JobShape.all)
  func `a message without the headers that may be left out has defaults`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    var properties = recorded.properties
    properties.headers = [:]
    properties.correlationID = nil
    properties.contentType = nil
    let original = try recorded.envelope()
    let envelope = try JobEnvelope(properties, body: recorded.bytes)
    #expect(envelope.id == original.id)
    #expect(envelope.run == 1 && envelope.attempt == 1 && envelope.schemaVersion == 1)
    #expect(envelope.tenant == nil && envelope.deadline == nil)
    #expect(envelope.correlationID == nil && envelope.traceparent == nil)
    #expect(envelope.enqueuedAt == Date(timeIntervalSince1970: Double(properties.timestamp ?? 0)))
    #expect(try shape.rewritten(envelope) == shape.rewritten(original))
  }

  // MARK: Rows of the store

  @Test(arguments: JobShape.all)
  func `a recorded row is the same job as the message`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    var envelope = try JSONDecoder().decode(JobEnvelope.self, from: Data(recorded.row.utf8))
    #expect(envelope.body.isEmpty)
    envelope.body = recorded.bytes
    #expect(try envelope == recorded.envelope())
  }

  @Test(arguments: JobShape.all)
  func `today's program writes the row with all that was recorded`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    let row = try JSONEncoder().encode(recorded.envelope())
    #expect(try JSONTree(Data(recorded.row.utf8)).differences(in: JSONTree(row)) == [])
  }

  @Test(arguments: JobShape.all)
  func `a row with fields of tomorrow is read`(_ shape: JobShape) throws {
    let recorded = try RecordedMessage.of(shape.kind)
    let row = Data(#"{"of_tomorrow": [null, {"a": 1}], "#.utf8) + Data(recorded.row.utf8).dropFirst()
    let envelope = try JSONDecoder().decode(JobEnvelope.self, from: row)
    #expect(try envelope.jobRun == recorded.envelope().jobRun)
  }

  // MARK: Dead letters

  @Test func `a recorded dead letter info is read, and written the same`() throws {
    let recorded = try RecordedMessage.of("booking.cancel")
    var properties = recorded.properties
    properties.headers["vluma-dead-letter-reason"] = .string("attempts_exhausted")
    properties.headers["vluma-dead-letter-detail"] = .string("the attempt took longer than 30 s")
    properties.headers["vluma-dead-letter-fingerprint"] = .string("8c1f0d9e3a524c6f")
    properties.headers["vluma-dead-letter-attempts"] = .integer(8)
    properties.headers["vluma-dead-letter-at"] = .integer(1_795_457_600_250)
    let deadLetterInfo = try #require(DeadLetterInfo(properties, pool: "booking.resolve"))
    #expect(
      deadLetterInfo
        == DeadLetterInfo(
          reason: .attemptsExhausted, detail: "the attempt took longer than 30 s", fingerprint: "8c1f0d9e3a524c6f",
          pool: "booking.resolve", attempts: 8, at: Date(timeIntervalSince1970: 1_795_457_600.25)))
    #expect(try recorded.envelope().properties(deadLetterInfo: deadLetterInfo) == properties)
  }
}
