package import Foundation
package import Jobs
package import Postgres

/// What happened to messages and webhooks, step by step. Its subjects are bookings.
package struct MessageTimeline: TimelineSource {
  private let pool: PostgresConnectionPool

  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// The bookings of the messages that an id belongs to: a message's, a job's, or a wamid.
  package func subjects(of id: String) async throws -> [UUID] {
    let uuid = UUID(uuidString: id)
    return try await pool.query(
      """
      SELECT booking_id FROM messaging.message
        WHERE id = \(uuid)::uuid OR cause_id = \(uuid)::uuid OR job_id = \(uuid)::uuid OR wamid = \(id)
      UNION SELECT booking_id FROM messaging.inbound_message AS inbound
        JOIN messaging.message ON message.wamid = inbound.context_id WHERE inbound.wamid = \(id)
      """
    ).map { try $0.decode(0) }
  }

  /// The webhooks of an id (a webhook's job, a wamid, or the key of a provider's event), and the messages of bookings
  /// with their reports and replies.
  package func entries(of id: String, subjects bookings: [UUID]) async throws -> [TimelineEntry] {
    let webhooks = try await webhooks(id)
    return bookings.isEmpty ? webhooks : try await messages(bookings) + webhooks
  }

  private func webhooks(_ id: String) async throws -> [TimelineEntry] {
    let uuid = UUID(uuidString: id)
    return try await entries(
      """
      SELECT received_at AS at, 'webhook: message ' || type AS what, '…' || right(wamid, 12) AS detail, job_id
        FROM messaging.inbound_message WHERE wamid = \(id) OR job_id = \(uuid)::uuid
      UNION ALL SELECT received_at, 'webhook: status ' || status,
          '…' || right(wamid, 12) || coalesce(' code ' || error_code, ''), job_id
        FROM messaging.status_report WHERE wamid = \(id) OR job_id = \(uuid)::uuid
      UNION ALL SELECT received_at, 'webhook: ' || field, key, job_id FROM messaging.provider_event
        WHERE key = \(id) OR job_id = \(uuid)::uuid
      """)
  }

  private func messages(_ bookings: [UUID]) async throws -> [TimelineEntry] {
    try await entries(
      """
      WITH message AS (SELECT * FROM messaging.message WHERE booking_id = ANY(\(bookings)::uuid[]))
      SELECT created_at AS at, 'message prepared' AS what, notification || ' ' || id AS detail, cause_id AS job_id
        FROM message
      UNION ALL SELECT sending_at, 'message sending', 'attempts: ' || send_count
          || CASE WHEN resend_count > 0 THEN ', resent: ' || resend_count ELSE '' END, job_id
        FROM message WHERE sending_at IS NOT NULL
      UNION ALL SELECT updated_at, 'message ' || state,
          coalesce('…' || right(wamid, 12), '') || coalesce(' code ' || error_code, ''), job_id FROM message
      UNION ALL SELECT report.received_at, 'message ' || report.status,
          '…' || right(report.wamid, 12) || coalesce(' code ' || report.error_code, ''), report.job_id
        FROM message JOIN messaging.status_report AS report
          ON report.callback = message.id::text OR report.wamid = message.wamid
      UNION ALL SELECT reply.received_at, 'customer replied',
          coalesce(split_part(reply.reply_payload, ':', 1), reply.type) || ' …' || right(reply.wamid, 12), reply.job_id
        FROM message JOIN messaging.inbound_message AS reply ON reply.context_id = message.wamid
      """)
  }

  private func entries(_ query: PostgresQuery) async throws -> [TimelineEntry] {
    try await pool.query(query).map { row in
      TimelineEntry(
        at: try row.decode("at"), what: try row.decode("what"), detail: try row.decode("detail"),
        job: try row.decodeIfPresent("job_id"))
    }
  }
}
