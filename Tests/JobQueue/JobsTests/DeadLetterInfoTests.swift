import Foundation
import Jobs
import Testing

struct DeadLetterInfoTests {
  private func deadLetterInfo(
    reason: DeadLetterReason = .permanentError, detail: String = "no such account", cause: String = "ValidationError",
    kind: String = "booking.validate", pool: PoolName = "booking.validate", attempts: Int = 3,
    at: Date = Date(timeIntervalSince1970: 1_773_050_400)
  ) -> DeadLetterInfo {
    DeadLetterInfo(reason: reason, detail: detail, cause: cause, kind: kind, pool: pool, attempts: attempts, at: at)
  }

  @Test func `a fingerprint is the same in every process and every version`() {
    #expect(deadLetterInfo().fingerprint == "db444239b87a6599")
  }

  @Test func `dead letters of one cause have one fingerprint, whatever else differs`() {
    let fingerprint = deadLetterInfo().fingerprint
    #expect(deadLetterInfo(detail: "another").fingerprint == fingerprint)
    #expect(deadLetterInfo(pool: "other").fingerprint == fingerprint)
    #expect(deadLetterInfo(attempts: 8).fingerprint == fingerprint)
    #expect(deadLetterInfo(at: .distantFuture).fingerprint == fingerprint)
  }

  @Test func `another kind, reason or cause is another fingerprint`() {
    let infos = [
      deadLetterInfo(), deadLetterInfo(reason: .crashed), deadLetterInfo(cause: "TypeError"),
      deadLetterInfo(kind: "booking.resolve"),
    ]
    #expect(Set(infos.map(\.fingerprint)).count == 4)
    let reasons = DeadLetterReason.allCases.map { deadLetterInfo(reason: $0).fingerprint }
    #expect(Set(reasons).count == DeadLetterReason.allCases.count)
  }

  @Test func `a long detail is cut`() {
    #expect(deadLetterInfo(detail: String(repeating: "é", count: 500)).detail == String(repeating: "é", count: 500))
    let long = deadLetterInfo(detail: String(repeating: "x", count: 10_000) + "end").detail
    #expect(long == String(repeating: "x", count: DeadLetterInfo.maxDetailLength))
    #expect(deadLetterInfo(detail: "").detail.isEmpty)
  }

  @Test func `all arguments are kept`() {
    let written = deadLetterInfo()
    #expect(written.reason == .permanentError)
    #expect(written.detail == "no such account")
    #expect(written.pool == "booking.validate")
    #expect(written.attempts == 3)
    #expect(written.at == Date(timeIntervalSince1970: 1_773_050_400))
  }

  @Test func `dead letter info survives coding, and being read from a message`() throws {
    let written = deadLetterInfo()
    #expect(try JSONDecoder().decode(DeadLetterInfo.self, from: JSONEncoder().encode(written)) == written)
    let restored = DeadLetterInfo(
      reason: written.reason, detail: written.detail, fingerprint: written.fingerprint, pool: written.pool,
      attempts: written.attempts, at: written.at)
    #expect(restored == written)
  }

  @Test func `the raw values of the reasons do not change`() {
    let names = [
      "attempts_exhausted", "permanent_error", "crashed", "unknown_kind", "unreadable", "oversize", "newer_schema",
    ]
    #expect(DeadLetterReason.allCases.map(\.rawValue) == names)
  }

  @Test func `a detail of few characters and many bytes is cut too`() {
    let marks = "a" + String(repeating: "\u{301}", count: 60_000)
    let info = DeadLetterInfo(
      reason: .permanentError, detail: marks, cause: "c", kind: "k", pool: "p", attempts: 1, at: Date())
    #expect(info.detail.utf8.count <= DeadLetterInfo.maxDetailBytes)
    #expect(info.detail.hasPrefix("a\u{301}\u{301}") || info.detail.unicodeScalars.first == "a")
  }
}
