internal import Foundation
package import Jobs

/// Jobs for tests of adapters. Their times are whole seconds, which every adapter keeps exactly.
package enum SampleJobs {
  /// Every field is set, and the body is not text.
  package static func full(run: Int = 1, attempt: Int = 1) -> JobEnvelope {
    JobEnvelope(
      run: run, kind: "test.full", schemaVersion: 3, tenant: UUID.version4(), attempt: attempt,
      enqueuedAt: Date(timeIntervalSince1970: 1_790_000_000), deadline: Date(timeIntervalSince1970: 4_000_000_000),
      correlationID: "request 7, \"quoted\", ünïcode",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      body: Data([0, 255, 34, 92, 10]) + Data("{\"name\":\"Ágnes 🐈\"}".utf8))
  }

  /// Every optional field is nil.
  package static func bare(kind: JobKind = "test.bare") -> JobEnvelope {
    JobEnvelope(kind: kind, enqueuedAt: Date(timeIntervalSince1970: 1_790_000_001), body: Data("{}".utf8))
  }

  package static func deadLetterInfo(
    pool: PoolName, reason: DeadLetterReason = .permanentError, detail: String = "it cannot be",
    cause: String = "Impossible", at seconds: Double = 1_790_000_100
  ) -> DeadLetterInfo {
    DeadLetterInfo(
      reason: reason, detail: detail, cause: cause, kind: "test.full", pool: pool, attempts: 4,
      at: Date(timeIntervalSince1970: seconds))
  }

  package static func letter(_ envelope: JobEnvelope, _ deadLetterInfo: DeadLetterInfo) -> DeadLetter {
    DeadLetter(jobRun: envelope.jobRun, envelope: envelope, deadLetterInfo: deadLetterInfo, body: envelope.body)
  }
}
