internal import Foundation
internal import Jobs
internal import Postgres

extension PostgresRow {
  /// Reads `job_id, run` from the first columns.
  func jobRun() throws -> JobRun { JobRun(id: JobID(try decode(0)), run: try decode(1)) }

  /// Reads `envelope::text, body` from the first columns.
  func envelope() throws -> JobEnvelope {
    var envelope = try JSONDecoder().decode(JobEnvelope.self, from: Data(try decode(0, as: String.self).utf8))
    envelope.body = try decode(1)
    return envelope
  }

  /// Reads `envelope::text, body, pool`.
  func outboxEntry() throws -> OutboxEntry {
    OutboxEntry(envelope: try envelope(), pool: try poolName(2))
  }

  func poolName(_ column: Int) throws -> PoolName { PoolName(rawValue: try decode(column)) }
}
