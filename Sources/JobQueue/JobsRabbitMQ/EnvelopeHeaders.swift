internal import Foundation
internal import Jobs
internal import RabbitMQ

/// The names of the headers a job's message carries; their meaning is ``JobEnvelope``'s and ``DeadLetterInfo``'s.
private enum Header {
  static let run = "vluma-run"
  static let attempt = "vluma-attempt"
  static let schemaVersion = "vluma-schema-version"
  static let tenant = "vluma-tenant"
  /// Milliseconds since 1970, as is the deadline.
  static let enqueuedAt = "vluma-enqueued-at"
  static let deadline = "vluma-deadline"
  static let traceparent = "traceparent"
  static let deadLetterReason = "vluma-death-reason"
  static let deadLetterDetail = "vluma-death-detail"
  static let deadLetterFingerprint = "vluma-death-fingerprint"
  static let deadLetterAttempts = "vluma-death-attempts"
  static let deadLetterAt = "vluma-death-at"
}

extension JobEnvelope {
  /// The message's properties.
  func properties(deadLetterInfo: DeadLetterInfo? = nil) -> RabbitMQProperties {
    var properties = RabbitMQProperties()
    properties.messageID = "\(id)"
    properties.type = kind.rawValue
    properties.contentType = "application/json"
    properties.correlationID = correlationID
    properties.timestamp = UInt64(max(0, enqueuedAt.timeIntervalSince1970))
    properties.headers = [
      Header.run: .integer(Int64(run)), Header.attempt: .integer(Int64(attempt)),
      Header.schemaVersion: .integer(Int64(schemaVersion)), Header.enqueuedAt: .integer(enqueuedAt.milliseconds),
    ]
    properties.headers[Header.tenant] = tenant.map { .string($0.uuidString.lowercased()) }
    properties.headers[Header.deadline] = deadline.map { .integer($0.milliseconds) }
    properties.headers[Header.traceparent] = traceparent.map { .string($0) }
    if let deadLetterInfo {
      properties.headers[Header.deadLetterReason] = .string(deadLetterInfo.reason.rawValue)
      properties.headers[Header.deadLetterDetail] = .string(deadLetterInfo.detail)
      properties.headers[Header.deadLetterFingerprint] = .string(deadLetterInfo.fingerprint)
      properties.headers[Header.deadLetterAttempts] = .integer(Int64(deadLetterInfo.attempts))
      properties.headers[Header.deadLetterAt] = .integer(deadLetterInfo.at.milliseconds)
    }
    return properties
  }

  /// Reads a message's properties; throws the reason why they are no job's. What cannot be stored or written again is
  /// refused here, before it can do harm.
  init(_ properties: RabbitMQProperties, body: Data) throws(UnreadableEnvelope) {
    let headers = HeaderReader(headers: properties.headers)
    guard let id = properties.messageID.flatMap({ JobID($0) }) else {
      throw UnreadableEnvelope(reason: "message_id is missing or no UUID")
    }
    guard let kind = properties.type, HeaderReader.isPlain(kind) else {
      throw UnreadableEnvelope(reason: "type, the job's kind, is missing or has control characters")
    }
    let correlationID = properties.correlationID
    guard correlationID.map(HeaderReader.isPlain) ?? true else {
      throw UnreadableEnvelope(reason: "correlation_id is empty or has control characters")
    }
    let sentAt = Date(timeIntervalSince1970: Double(min(properties.timestamp ?? 0, HeaderReader.secondsMax)))
    self.init(
      id: id, run: try headers.count(Header.run, missing: 1, least: 0), kind: JobKind(rawValue: kind),
      schemaVersion: try headers.count(Header.schemaVersion, missing: 1, least: 1),
      tenant: try headers.uuid(Header.tenant), attempt: try headers.count(Header.attempt, missing: 1, least: 1),
      enqueuedAt: try headers.date(Header.enqueuedAt) ?? (properties.timestamp == nil ? Date() : sentAt),
      deadline: try headers.date(Header.deadline), correlationID: correlationID,
      traceparent: try headers.text(Header.traceparent), body: body)
  }
}

/// Reads headers strictly.
private struct HeaderReader {
  let headers: [String: RabbitMQValue]

  /// The end of the year 9999, in seconds since 1970: later dates are a slip, and far later ones no numbers any more.
  static let secondsMax: UInt64 = 253_402_300_799

  /// True for text that PostgreSQL and logs can take.
  static func isPlain(_ text: String) -> Bool {
    !text.isEmpty && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }

  func count(_ name: String, missing: Int, least: Int64) throws(UnreadableEnvelope) -> Int {
    guard let value = headers[name] else { return missing }
    guard let number = value.integer, (least...1_000_000).contains(number) else {
      throw UnreadableEnvelope(reason: "header \(name) is no number from \(least) to 1000000")
    }
    return Int(number)
  }

  func date(_ name: String) throws(UnreadableEnvelope) -> Date? {
    guard let value = headers[name] else { return nil }
    guard let number = value.integer, (0...Int64(Self.secondsMax) * 1_000).contains(number) else {
      throw UnreadableEnvelope(reason: "header \(name) is no date in milliseconds since 1970")
    }
    return Date(milliseconds: number)
  }

  func uuid(_ name: String) throws(UnreadableEnvelope) -> UUID? {
    guard let value = headers[name] else { return nil }
    guard let uuid = value.string.flatMap(UUID.init(uuidString:)) else {
      throw UnreadableEnvelope(reason: "header \(name) is no UUID")
    }
    return uuid
  }

  func text(_ name: String) throws(UnreadableEnvelope) -> String? {
    guard let value = headers[name] else { return nil }
    guard let text = value.string, Self.isPlain(text) else {
      throw UnreadableEnvelope(reason: "header \(name) is no plain text")
    }
    return text
  }
}

/// Why a message is no job.
struct UnreadableEnvelope: Error {
  let reason: String
}

extension DeadLetterInfo {
  /// Reads what a dead letter carries; nil where it carries none.
  init?(_ properties: RabbitMQProperties, pool: PoolName) {
    let headers = properties.headers
    func plain(_ name: String) -> String { (headers[name]?.string ?? "").filter { !$0.unicodeScalars.contains("\0") } }
    guard let reason = headers[Header.deadLetterReason]?.string.flatMap(DeadLetterReason.init(rawValue:)) else {
      return nil
    }
    self.init(
      reason: reason, detail: plain(Header.deadLetterDetail), fingerprint: plain(Header.deadLetterFingerprint),
      pool: pool,
      attempts: Int(min(max(headers[Header.deadLetterAttempts]?.integer ?? 0, 0), 1_000_000)),
      at: (try? HeaderReader(headers: headers).date(Header.deadLetterAt)) ?? Date())
  }
}

extension Date {
  fileprivate var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
  fileprivate init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
