import Foundation
import Jobs
import Testing

struct DeathCertificateTests {
  private func certificate(
    reason: DeathReason = .permanentError, detail: String = "no such account", cause: String = "ValidationError",
    kind: String = "booking.validate", pool: PoolName = "booking.validate", attempts: Int = 3,
    at: Date = Date(timeIntervalSince1970: 1_773_050_400)
  ) -> DeathCertificate {
    DeathCertificate(reason: reason, detail: detail, cause: cause, kind: kind, pool: pool, attempts: attempts, at: at)
  }

  @Test func `a fingerprint is the same in every process and every version`() {
    #expect(certificate().fingerprint == "e3209d9b290fa154")
  }

  @Test func `deaths of one cause have one fingerprint, whatever else differs`() {
    let fingerprint = certificate().fingerprint
    #expect(certificate(detail: "another").fingerprint == fingerprint)
    #expect(certificate(pool: "other").fingerprint == fingerprint)
    #expect(certificate(attempts: 8).fingerprint == fingerprint)
    #expect(certificate(at: .distantFuture).fingerprint == fingerprint)
  }

  @Test func `another kind, reason or cause is another fingerprint`() {
    let certificates = [
      certificate(), certificate(reason: .crashed), certificate(cause: "TypeError"),
      certificate(kind: "booking.resolve"),
    ]
    #expect(Set(certificates.map(\.fingerprint)).count == 4)
    let reasons = DeathReason.allCases.map { certificate(reason: $0).fingerprint }
    #expect(Set(reasons).count == DeathReason.allCases.count)
  }

  @Test func `a long detail is cut`() {
    #expect(certificate(detail: String(repeating: "é", count: 500)).detail == String(repeating: "é", count: 500))
    let long = certificate(detail: String(repeating: "x", count: 10_000) + "end").detail
    #expect(long == String(repeating: "x", count: DeathCertificate.detailMax))
    #expect(certificate(detail: "").detail.isEmpty)
  }

  @Test func `what is certified is kept`() {
    let written = certificate()
    #expect(written.reason == .permanentError)
    #expect(written.detail == "no such account")
    #expect(written.pool == "booking.validate")
    #expect(written.attempts == 3)
    #expect(written.at == Date(timeIntervalSince1970: 1_773_050_400))
  }

  @Test func `a certificate survives coding, and being taken from a message`() throws {
    let written = certificate()
    #expect(try JSONDecoder().decode(DeathCertificate.self, from: JSONEncoder().encode(written)) == written)
    let restored = DeathCertificate(
      reason: written.reason, detail: written.detail, fingerprint: written.fingerprint, pool: written.pool,
      attempts: written.attempts, at: written.at)
    #expect(restored == written)
  }

  @Test func `the reasons' names are part of what is kept`() {
    let names = [
      "attempts_exhausted", "permanent_error", "crashed", "unknown_kind", "unreadable", "oversize", "newer_schema",
    ]
    #expect(DeathReason.allCases.map(\.rawValue) == names)
  }
}
