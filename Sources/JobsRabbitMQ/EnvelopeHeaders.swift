internal import Foundation
internal import Jobs
internal import RabbitMQ

/// The names of the headers a job's message carries; their meaning is ``JobEnvelope``'s and ``DeathCertificate``'s.
private enum Header {
  static let run = "vluma-run"
  static let attempt = "vluma-attempt"
  static let schemaVersion = "vluma-schema-version"
  static let tenant = "vluma-tenant"
  /// Milliseconds since 1970, as is the deadline.
  static let enqueuedAt = "vluma-enqueued-at"
  static let deadline = "vluma-deadline"
  static let traceparent = "traceparent"
  static let deathReason = "vluma-death-reason"
  static let deathDetail = "vluma-death-detail"
  static let deathFingerprint = "vluma-death-fingerprint"
  static let deathAttempts = "vluma-death-attempts"
  static let deathAt = "vluma-death-at"
}

extension JobEnvelope {
  /// The message's properties.
  func properties(certificate: DeathCertificate? = nil) -> RabbitMQProperties {
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
    if let certificate {
      properties.headers[Header.deathReason] = .string(certificate.reason.rawValue)
      properties.headers[Header.deathDetail] = .string(certificate.detail)
      properties.headers[Header.deathFingerprint] = .string(certificate.fingerprint)
      properties.headers[Header.deathAttempts] = .integer(Int64(certificate.attempts))
      properties.headers[Header.deathAt] = .integer(certificate.at.milliseconds)
    }
    return properties
  }

  /// Reads a message's properties; throws the reason why they are no job's.
  init(_ properties: RabbitMQProperties, body: Data) throws(UnreadableEnvelope) {
    let headers = properties.headers
    guard let id = properties.messageID.flatMap({ JobID($0) }) else {
      throw UnreadableEnvelope(reason: "message_id is missing or no UUID")
    }
    guard let kind = properties.type, !kind.isEmpty else {
      throw UnreadableEnvelope(reason: "type, the job's kind, is missing")
    }
    func count(_ name: String, _ missing: Int64, least: Int64) throws(UnreadableEnvelope) -> Int {
      guard let value = headers[name] else { return Int(missing) }
      guard let number = value.integer, (least...1_000_000).contains(number) else {
        throw UnreadableEnvelope(reason: "header \(name) is no number from \(least) to 1000000")
      }
      return Int(number)
    }
    self.init(
      id: id, run: try count(Header.run, 1, least: 0), kind: JobKind(rawValue: kind),
      schemaVersion: try count(Header.schemaVersion, 1, least: 1),
      tenant: headers[Header.tenant]?.string.flatMap(UUID.init(uuidString:)),
      attempt: try count(Header.attempt, 1, least: 1),
      enqueuedAt: headers[Header.enqueuedAt]?.integer.map(Date.init(milliseconds:))
        ?? Date(timeIntervalSince1970: Double(properties.timestamp ?? UInt64(Date().timeIntervalSince1970))),
      deadline: headers[Header.deadline]?.integer.map(Date.init(milliseconds:)),
      correlationID: properties.correlationID, traceparent: headers[Header.traceparent]?.string, body: body)
  }
}

/// Why a message is no job.
struct UnreadableEnvelope: Error {
  let reason: String
}

extension DeathCertificate {
  /// Reads what a dead letter carries; nil where it carries no certificate.
  init?(_ properties: RabbitMQProperties, pool: PoolName) {
    let headers = properties.headers
    guard let reason = headers[Header.deathReason]?.string.flatMap(DeathReason.init(rawValue:)) else { return nil }
    self.init(
      reason: reason, detail: headers[Header.deathDetail]?.string ?? "",
      fingerprint: headers[Header.deathFingerprint]?.string ?? "", pool: pool,
      attempts: Int(headers[Header.deathAttempts]?.integer ?? 0),
      at: Date(milliseconds: headers[Header.deathAt]?.integer ?? Date().milliseconds))
  }
}

extension Date {
  fileprivate var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
  fileprivate init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
