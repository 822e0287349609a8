public import Foundation
public import Postgres

/// One step of a thing's story.
public struct StoryStep: Sendable, Equatable {
  /// When it was stored; effects of one transaction bear its time.
  public let at: Date
  /// What happened, in a few words.
  public let what: String
  /// More of it: a reason, an id. Never personal data: of a wamid only the end, for it holds a telephone number.
  public let detail: String
  /// The job that did it; nil where none did.
  public let job: UUID?

  /// Takes a step.
  public init(at: Date, what: String, detail: String, job: UUID?) {
    self.at = at
    self.what = what
    self.detail = detail
    self.job = job
  }
}

/// Tells the stories of bookings, messages and webhooks, from all that the stores keep.
public struct StoryStore: Sendable {
  /// What an id was found to be part of.
  public struct Findings: Sendable {
    /// The bookings it belongs to.
    public var bookings: [UUID] = []
    /// What the webhooks of that id told, where it names a webhook's job, a message or an event.
    public var steps: [StoryStep] = []
  }

  private let pool: PostgresPool

  /// Reads through the pool's connections.
  public init(pool: PostgresPool) { self.pool = pool }

  /// Looks an id up: a booking's, a message's, a job's, a wamid, or the key of a provider's event.
  public func find(_ id: String) async throws -> Findings {
    var findings = Findings()
    let uuid = UUID(uuidString: id)
    findings.bookings = try await pool.query(
      """
      SELECT id FROM scheduling.booking WHERE id = \(uuid)::uuid
      UNION SELECT booking_id FROM scheduling.booking_event WHERE job_id = \(uuid)::uuid
      UNION SELECT booking_id FROM whatsapp.outbound
        WHERE id = \(uuid)::uuid OR cause = \(uuid)::uuid OR job_id = \(uuid)::uuid OR wamid = \(id)
      UNION SELECT booking_id FROM whatsapp.inbound JOIN whatsapp.outbound ON outbound.wamid = inbound.context_id
        WHERE inbound.wamid = \(id)
      """
    ).map { try $0.decode(0) }
    findings.steps = try await steps(
      """
      SELECT received_at, 'webhook: message ' || type, '…' || right(wamid, 12), job_id FROM whatsapp.inbound
        WHERE wamid = \(id) OR job_id = \(uuid)::uuid
      UNION ALL SELECT received_at, 'webhook: status ' || status, '…' || right(wamid, 12) || coalesce(' code ' || code, ''), job_id
        FROM whatsapp.status_report WHERE wamid = \(id) OR job_id = \(uuid)::uuid
      UNION ALL SELECT received_at, 'webhook: ' || field, key, job_id FROM whatsapp.event
        WHERE key = \(id) OR job_id = \(uuid)::uuid
      """)
    return findings
  }

  /// All that happened to bookings, their messages and the replies to these; in no particular order.
  public func story(of bookings: [UUID]) async throws -> [StoryStep] {
    guard !bookings.isEmpty else { return [] }
    return try await steps(
      """
      WITH message AS (SELECT * FROM whatsapp.outbound WHERE booking_id = ANY(\(bookings)::uuid[]))
      SELECT at, 'booking ' || what, detail, job_id FROM scheduling.booking_event
        WHERE booking_id = ANY(\(bookings)::uuid[])
      UNION ALL SELECT created_at, 'message prepared', notice || ' ' || id, cause FROM message
      UNION ALL SELECT sending_at, 'message given to WhatsApp',
          'times: ' || sends || CASE WHEN resends > 0 THEN ', after a doubt: ' || resends ELSE '' END, job_id
        FROM message WHERE sending_at IS NOT NULL
      UNION ALL SELECT updated_at, 'message ' || state,
          coalesce('…' || right(wamid, 12), '') || coalesce(' code ' || code, ''), job_id FROM message
      UNION ALL SELECT report.received_at, 'WhatsApp says ' || report.status,
          '…' || right(report.wamid, 12) || coalesce(' code ' || report.code, ''), report.job_id
        FROM message JOIN whatsapp.status_report AS report
          ON report.callback = message.id::text OR report.wamid = message.wamid
      UNION ALL SELECT reply.received_at, 'customer answers', coalesce(split_part(reply.reply, ':', 1), reply.type) || ' …' || right(reply.wamid, 12),
          reply.job_id
        FROM message JOIN whatsapp.inbound AS reply ON reply.context_id = message.wamid
      """)
  }

  private func steps(_ query: PostgresQuery) async throws -> [StoryStep] {
    try await pool.query(query).map {
      StoryStep(
        at: try $0.decode(0), what: try $0.decode(1), detail: try $0.decode(2), job: try $0.decodeIfPresent(3))
    }
  }
}
