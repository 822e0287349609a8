import BookingCalendar
import Bookings
import Foundation
import Jobs
import Logging
import Messaging
import Postgres
import Reports
import TestServers
import WhatsApp
import Workers

/// A prepared message about a confirmed booking, and a worker that sends it.
struct MessageFixture: Sendable {
  let pool: PostgresConnectionPool
  let sender = CountingSender()
  /// How far the worker's clock jumps after the message was marked as being sent.
  let sleepsAfterMark = Locked(Duration.zero)
  /// Runs after the message was marked as being sent, once.
  let afterMark = Locked<(@Sendable () async throws -> Void)?>(nil)
  private let worker: SendTemplateWorker
  private let messageID: UUID
  private let clock = Locked(Duration.zero)

  struct Message: Equatable {
    let state: String
    let sends: Int
    let resends: Int
  }

  private static let number = "106540352242922"

  private init(pool: PostgresConnectionPool, message: UUID) {
    self.pool = pool
    messageID = message
    let clock = clock
    worker = SendTemplateWorker(
      api: sender, messages: MessageStore(defaultNumber: Self.number), clock: { .now + clock.value })
  }

  static func with(_ body: (MessageFixture) async throws -> Void) async throws {
    let migrations = BookingMigrations.all + MessagingMigrations.all + ReportMigrations.all
    try await withTestDatabase(migrations: migrations) { pool, _ async throws in
      let (business, service, professional, booking) = (
        UUID.version4(), UUID.version4(), UUID.version4(), UUID.version4()
      )
      let catalog = CatalogStore()
      let rules = BusinessRules(timeZone: .gmt, minimumNotice: 0, horizon: 86_400)
      try await catalog.put(business: business, name: "Salon", rules: rules, in: pool)
      try await catalog.put(service: service, of: business, name: "Cut", rules: ServiceRules(duration: 1_800), in: pool)
      try await catalog.put(
        professional: professional, of: business, name: "Ana", schedule: Schedule(weekly: [:]), offering: [service],
        in: pool)
      let startsAt = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + 86_400).rounded())
      try await pool.query(
        """
        INSERT INTO bookings.booking (id, business_id, service_id, professional_id, customer_name, customer_phone,
          starts_at, status, fingerprint, last_command)
        VALUES (\(booking), \(business), \(service), \(professional), 'Maria', '+5511987654321', \(startsAt), 'confirmed',
          'f', \(booking))
        """)
      let message = NewMessage(
        .confirmed, id: UUID.version4(), business: business, booking: booking,
        subject: .init(startsAt: startsAt, service: service, professional: professional, alternatives: []), now: Date())
      _ = try await pool.withTransaction { transaction in
        try await MessageStore(defaultNumber: Self.number).prepare([(message, UUID.version4())], in: transaction)
      }
      try await body(MessageFixture(pool: pool, message: message.id))
    }
  }

  /// The same message, seen by a worker of another process.
  func inAnotherProcess() -> MessageFixture { MessageFixture(pool: pool, message: messageID) }

  /// Runs the worker once.
  func work(_ transactions: TransactionsInDoubt) async throws -> JobOutcome {
    let job = SendTemplate(message: messageID, number: Self.number)
    let context = JobContext<PostgresTransaction>(
      info: JobInfo(try JobCodec.envelope(for: job, tenant: nil)),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, deadline: .now + .seconds(90),
      transactions: transactions.after { try await marked() })
    return try await worker.work(job, context: context)
  }

  private func marked() async throws {
    clock.change { $0 += sleepsAfterMark.value }
    let body = afterMark.change { body in
      defer { body = nil }
      return body
    }
    try await body?()
  }

  func message() async throws -> Message {
    let row = try await pool.query(
      "SELECT state, send_count::bigint, resend_count::bigint FROM messaging.message WHERE id = \(messageID)")[0]
    return Message(state: try row.decode(0), sends: try row.decode(1), resends: try row.decode(2))
  }
}

/// Counts what is sent; WhatsApp accepts everything.
final class CountingSender: MessageSender {
  private let count = Locked(0)

  var sent: Int { count.value }

  func send(_ message: TemplateMessage) async -> SendResult {
    let number = count.change { count in
      count += 1
      return count
    }
    return .accepted(wamid: "wamid.\(number)", recipientID: nil)
  }
}
