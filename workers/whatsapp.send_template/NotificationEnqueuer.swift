internal import Foundation
internal import Jobs
internal import Messaging
internal import Postgres
internal import Reports
internal import WhatsApp

/// Stores intents of notifications, in the transaction of the effects they are about, and enqueues their sending.
struct NotificationEnqueuer {
  let messages: MessageStore

  /// A message, and the job it follows from.
  typealias Item = (message: NewMessage, cause: JobInfo)

  /// Businesses without a number send nothing.
  func enqueue(
    _ notifications: [Item], at now: Date, in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws {
    let prepared = try await messages.prepare(
      notifications.map { ($0.message, $0.cause.jobRun.id.uuid) }, in: transaction)
    for (message, cause) in notifications {
      guard let number = prepared[message.id] else { continue }
      try followUps.enqueue(SendTemplate(message: message.id, number: number), from: cause, tenant: message.business)
      followUps.count(.messagePrepared, message.notification.rawValue, of: message.business, at: now)
    }
  }
}
