package import Foundation
package import Postgres

/// One step of a thing's story.
package struct TimelineEntry: Sendable, Equatable {
  /// When it was stored; effects of one transaction bear its time.
  package let at: Date
  /// What happened, in a few words.
  package let what: String
  /// More of it: a reason, an id. Never personal data: of a wamid only the end, for it holds a telephone number.
  package let detail: String
  /// The job that did it; nil where none did.
  package let job: UUID?

  /// Takes a step.
  package init(at: Date, what: String, detail: String, job: UUID?) {
    self.at = at
    self.what = what
    self.detail = detail
    self.job = job
  }
}

/// Tells the stories of bookings, messages and webhooks, from all that the stores keep.
package struct FeatureTimeline: Sendable {
  /// What an id was found to be part of.
  package struct Findings: Sendable {
    /// The bookings it belongs to.
    package var bookings: [UUID] = []
    /// What the webhooks of that id told, where it names a webhook's job, a message or an event.
    package var entries: [TimelineEntry] = []
  }

  private let pool: PostgresConnectionPool

  /// Reads through the pool's connections.
  package init(pool: PostgresConnectionPool) { self.pool = pool }

  /// Looks an id up: a booking's, a message's, a job's, a wamid, or the key of a provider's event.
  package func find(_ id: String) async throws -> Findings {
    var findings = Findings()
    let uuid = UUID(uuidString: id)
    findings.bookings = try await pool.query(
      """
      SELECT id FROM bookings.booking WHERE id = \(uuid)::uuid
      UNION SELECT booking_id FROM bookings.booking_event WHERE job_id = \(uuid)::uuid
      UNION SELECT booking_id FROM messaging.message
        WHERE id = \(uuid)::uuid OR cause_id = \(uuid)::uuid OR job_id = \(uuid)::uuid OR wamid = \(id)
      UNION SELECT booking_id FROM messaging.inbound_message AS inbound JOIN messaging.message ON message.wamid = inbound.context_id
        WHERE inbound.wamid = \(id)
      """
    ).map { try $0.decode(0) }
    findings.entries = try await entries(
      """
      SELECT received_at, 'webhook: message ' || type, '…' || right(wamid, 12), job_id FROM messaging.inbound_message AS inbound
        WHERE wamid = \(id) OR job_id = \(uuid)::uuid
      UNION ALL SELECT received_at, 'webhook: status ' || status, '…' || right(wamid, 12) || coalesce(' code ' || error_code, ''), job_id
        FROM messaging.status_report WHERE wamid = \(id) OR job_id = \(uuid)::uuid
      UNION ALL SELECT received_at, 'webhook: ' || field, key, job_id FROM messaging.provider_event
        WHERE key = \(id) OR job_id = \(uuid)::uuid
      """)
    return findings
  }

  /// All that happened to bookings, their messages and the replies to these; in no particular order.
  package func story(of bookings: [UUID]) async throws -> [TimelineEntry] {
    guard !bookings.isEmpty else { return [] }
    return try await entries(
      """
      WITH message AS (SELECT * FROM messaging.message WHERE booking_id = ANY(\(bookings)::uuid[]))
      SELECT created_at, 'booking ' || type, detail, job_id FROM bookings.booking_event
        WHERE booking_id = ANY(\(bookings)::uuid[])
      UNION ALL SELECT created_at, 'message prepared', notification || ' ' || id, cause_id FROM message
      UNION ALL SELECT sending_at, 'message given to WhatsApp',
          'times: ' || send_count || CASE WHEN resend_count > 0 THEN ', after a doubt: ' || resend_count ELSE '' END, job_id
        FROM message WHERE sending_at IS NOT NULL
      UNION ALL SELECT updated_at, 'message ' || state,
          coalesce('…' || right(wamid, 12), '') || coalesce(' code ' || error_code, ''), job_id FROM message
      UNION ALL SELECT report.received_at, 'WhatsApp says ' || report.status,
          '…' || right(report.wamid, 12) || coalesce(' code ' || report.error_code, ''), report.job_id
        FROM message JOIN messaging.status_report AS report
          ON report.callback = message.id::text OR report.wamid = message.wamid
      UNION ALL SELECT reply.received_at, 'customer answers', coalesce(split_part(reply.reply_payload, ':', 1), reply.type) || ' …' || right(reply.wamid, 12),
          reply.job_id
        FROM message JOIN messaging.inbound_message AS reply ON reply.context_id = message.wamid
      """)
  }

  private func entries(_ query: PostgresQuery) async throws -> [TimelineEntry] {
    try await pool.query(query).map {
      TimelineEntry(
        at: try $0.decode(0), what: try $0.decode(1), detail: try $0.decode(2), job: try $0.decodeIfPresent(3))
    }
  }
}
