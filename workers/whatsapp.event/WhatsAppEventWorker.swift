package import Foundation
package import Jobs
package import Logging
package import Messaging
package import Postgres
internal import Reports
internal import WhatsApp

/// Stores the messages, status reports and events of webhooks, each once, and enqueues jobs for customers' quick
/// replies. What it cannot read is stored too: nothing in a webhook is an error.
package struct WhatsAppEventWorker: BatchWorker {
  private let inbound = InboundStore()
  private let suspensions = SuspensionStore()
  private let messages: MessageStore
  private let unreadable: UnreadableWebhookLog
  private let now: @Sendable () -> Date

  /// - Parameter messages: for messages to an alternate number.
  /// - Parameter logger: for warnings about webhooks that cannot be read; nil: they are counted only.
  /// - Parameter now: dates the counts of messages that were accepted according to a report.
  package init(
    messages: MessageStore = MessageStore(), logger: Logger? = nil, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.messages = messages
    unreadable = UnreadableWebhookLog(logger)
    self.now = now
  }

  /// Stores the updates of all webhooks in one statement per type, and handles only the new ones.
  package func work(
    _ batch: [BatchItem<WhatsAppEvent>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let webhooks = try await WebhookBatch(batch, inbound, in: transaction)
    try await inbound.storeAccounts(webhooks.accounts, in: transaction)
    // Reports last: they lock messages that are being sent.
    try await handle(webhooks.events, in: transaction, &followUps)
    try await handle(webhooks.messages, in: transaction, &followUps)
    try await handle(webhooks.statuses, in: transaction, &followUps)
    return batch.map { _ in .completed }
  }

  private func handle(
    _ statuses: [WebhookBatch.Item<StatusReport>], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    var inserted = try await inbound.insert(statuses: statuses.map(\.received), in: transaction)
    let new = statuses.filter { inserted.remove(InboundStore.StatusKey($0.received.update)) != nil }
    let reportedMessages = try await inbound.applyReports(new.map(\.received.update), in: transaction)
    var handled = Set<UUID>()
    for item in new {
      let report = item.received.update
      let reported = reportedMessages[report.wamid]
      let business = reported?.business ?? item.received.business
      followUps.count(
        .messageStatus, report.status.rawValue, of: business, at: report.at ?? item.received.receivedAt)
      guard let reported, handled.insert(reported.message).inserted else { continue }
      if reported.isNewlyAccepted {
        followUps.count(.messageAccepted, reported.notification.rawValue, of: business, at: now())
        // The message was counted as not sent, but the report proves that it was accepted: undo that count.
        if reported.stateBefore.isFinal {
          followUps.count(.messageNotSent, reported.stateBefore.rawValue, of: business, at: now(), by: -1)
        }
      }
      if let code = reported.newFailure {
        try await DeliveryFailureHandler(messages: messages, suspensions: suspensions, now: now)
          .handle(code, reported, item, in: transaction, &followUps)
      }
    }
  }

  private func handle(
    _ messages: [WebhookBatch.Item<InboundMessage>], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    var inserted = try await inbound.insert(messages: messages.map(\.received), in: transaction)
    let new = messages.filter { inserted.remove($0.received.update.wamid) != nil }
    for item in new {
      let message = item.received.update
      followUps.count(
        .messageReceived, message.type, of: item.received.business, at: message.at ?? item.received.receivedAt)
    }
    try await QuickReplyHandler().handle(new, in: transaction, &followUps)
  }

  private func handle(
    _ events: [WebhookBatch.Item<ProviderEvent>], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    var inserted = try await inbound.insert(events: events.map(\.received), in: transaction)
    let new = events.filter { inserted.remove($0.received.update.key) != nil }
    unreadable.note(new)
    for item in new {
      followUps.count(
        .providerEvent, item.received.update.field, of: item.received.business,
        at: item.received.update.at ?? item.received.receivedAt)
    }
    try await ManagementEventHandler(inbound: inbound, suspensions: suspensions).handle(
      new.map(\.received), in: transaction)
  }
}
