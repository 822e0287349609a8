internal import Foundation
internal import Jobs
internal import Postgres

extension PostgresRow {
  /// Reads `job_id, run` from the first columns, or from others.
  func jobRun(at column: Int = 0) throws -> JobRun {
    JobRun(id: JobID(try decode(column)), run: try decode(column + 1))
  }

  /// Reads `envelope::text, body` from the first columns.
  func envelope() throws -> JobEnvelope {
    var envelope = try JSONDecoder().decode(JobEnvelope.self, from: Data(try decode(0, as: String.self).utf8))
    envelope.body = try decode(1)
    return envelope
  }

  /// Reads `envelope::text, body, pool, job_id, run`. The failure is a row that cannot be read, which must not hold up
  /// the others.
  func outboxEntry() throws -> Result<OutboxEntry, UnreadableRow> {
    let jobRun = try jobRun(at: 3)
    do {
      let envelope = try envelope()
      // What is published under another id would never be deleted, and be published again and again.
      guard envelope.jobRun == jobRun else {
        return .failure(UnreadableRow(jobRun: jobRun, reason: "the envelope is of another job or run"))
      }
      return .success(OutboxEntry(envelope: envelope, pool: try poolName(2)))
    } catch {
      return .failure(UnreadableRow(jobRun: jobRun, reason: Self.reason(error)))
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as PostgresError: "\(error)"
    case let error as DecodingError: JobCodec.explain(error)
    default: "the envelope is malformed"
    }
  }

  func poolName(_ column: Int) throws -> PoolName { PoolName(rawValue: try decode(column)) }
}
