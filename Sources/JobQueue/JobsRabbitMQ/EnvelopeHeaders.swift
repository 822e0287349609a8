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
  /// 1, or absent.
  static let counted = "vluma-counted"
  static let deadLetterReason = "vluma-dead-letter-reason"
  static let deadLetterDetail = "vluma-dead-letter-detail"
  static let deadLetterFingerprint = "vluma-dead-letter-fingerprint"
  static let deadLetterAttempts = "vluma-dead-letter-attempts"
  static let deadLetterAt = "vluma-dead-letter-at"
}

extension JobEnvelope {
  func properties(deadLetterInfo: DeadLetterInfo? = nil) -> RabbitMQProperties {
    var properties = RabbitMQProperties()
    properties.messageID = "\(id)"
    properties.type = kind.rawValue
    properties.contentType = "application/json"
    properties.correlationID = correlationID
    properties.timestamp = UInt64(max(0, enqueuedAt.clampedSeconds))
    properties.headers = [
      Header.run: .integer(Int64(run)), Header.attempt: .integer(Int64(attempt)),
      Header.schemaVersion: .integer(Int64(schemaVersion)), Header.enqueuedAt: .integer(enqueuedAt.milliseconds),
    ]
    properties.headers[Header.tenant] = tenant.map { .string($0.uuidString.lowercased()) }
    properties.headers[Header.deadline] = deadline.map { .integer($0.milliseconds) }
    properties.headers[Header.traceparent] = traceparent.map { .string($0) }
    if isCounted { properties.headers[Header.counted] = .integer(1) }
    if let deadLetterInfo {
      properties.headers[Header.deadLetterReason] = .string(deadLetterInfo.reason.rawValue)
      properties.headers[Header.deadLetterDetail] = .string(deadLetterInfo.detail)
      properties.headers[Header.deadLetterFingerprint] = .string(deadLetterInfo.fingerprint)
      properties.headers[Header.deadLetterAttempts] = .integer(Int64(deadLetterInfo.attempts))
      properties.headers[Header.deadLetterAt] = .integer(deadLetterInfo.at.milliseconds)
    }
    return properties
  }

  /// Reads a message's properties; throws the reason why they are not a job's. A value that could not be stored or
  /// published again is refused here.
  init(_ properties: RabbitMQProperties, body: Data) throws(UnreadableEnvelope) {
    let headers = HeaderReader(headers: properties.headers)
    guard let id = properties.messageID.flatMap({ JobID($0) }) else {
      throw UnreadableEnvelope(reason: "message_id is missing or not a UUID")
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
    isCounted = try headers.count(Header.counted, missing: 0, least: 0) > 0
  }
}

extension DeadLetterInfo {
  /// Reads what a dead letter carries; nil: it carries no reason.
  init?(_ properties: RabbitMQProperties, pool: PoolName) {
    let headers = properties.headers
    // PostgreSQL stores no NUL.
    func plain(_ name: String) -> String { (headers[name]?.string ?? "").filter { !$0.unicodeScalars.contains("\0") } }
    let reason = plain(Header.deadLetterReason)
    guard !reason.isEmpty else { return nil }
    self.init(
      reason: DeadLetterReason(rawValue: reason), detail: plain(Header.deadLetterDetail),
      fingerprint: plain(Header.deadLetterFingerprint), pool: pool,
      attempts: Int(min(max(headers[Header.deadLetterAttempts]?.integer ?? 0, 0), HeaderReader.countMax)),
      at: (try? HeaderReader(headers: headers).date(Header.deadLetterAt)) ?? Date())
  }
}
