package import Foundation
package import Jobs
package import Messaging
package import Postgres
internal import Reports
internal import WhatsApp

/// Turns webhooks into messages, status reports and events in the database, each once, and customers' pressed buttons
/// into jobs. What it cannot read it stores; nothing a webhook holds is an error.
package struct WhatsAppEventWorker: BatchWorker {
  private let inbound = InboundStore()
  private let suspensions = SuspensionStore()
  private let messages: MessageStore
  private let now: @Sendable () -> Date

  /// - Parameter messages: what goes out again after a failure goes through it.
  /// - Parameter now: the clock by which acceptances that only a report tells of are counted.
  package init(messages: MessageStore = MessageStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    self.messages = messages
    self.now = now
  }

  /// Stores what is new in all POSTs of the batch with one statement a kind, and acts on that alone.
  package func work(
    _ batch: [BatchItem<WhatsAppEvent>], in transaction: PostgresTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let webhooks = try await WebhookBatch(batch, inbound, in: transaction)
    try await inbound.storeAccounts(webhooks.accounts, in: transaction)
    // Reports last: they hold messages that are being sent.
    try await handle(webhooks.events, in: transaction, &followUps)
    try await handle(webhooks.messages, in: transaction, &followUps)
    try await handle(webhooks.statuses, in: transaction, &followUps)
    return batch.map { _ in .completed }
  }

  private func handle(
    _ statuses: [WebhookBatch.Item<StatusReport>], in transaction: PostgresTransaction, _ followUps: inout FollowUps
  ) async throws {
    var fresh = try await inbound.insert(statuses: statuses.map(\.received), in: transaction)
    let new = statuses.filter { fresh.remove(InboundStore.StatusKey($0.received.update)) != nil }
    let reportedMessages = try await inbound.applyReports(new.map(\.received.update), in: transaction)
    var settled = Set<UUID>()
    for item in new {
      let report = item.received.update
      let reported = reportedMessages[report.wamid]
      let business = reported?.business ?? item.received.business
      followUps.count(
        .messageStatus, report.status.rawValue, of: business, at: report.at ?? item.received.receivedAt)
      guard let reported, settled.insert(reported.message).inserted else { continue }
      if reported.isNewlyAccepted {
        followUps.count(.messageAccepted, reported.notification.rawValue, of: business, at: now())
        // It was given up, and was accepted after all: then it was not "not sent".
        if reported.before.isEnd {
          followUps.count(.messageNotSent, reported.before.rawValue, of: business, at: now(), by: -1)
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
    var fresh = try await inbound.insert(messages: messages.map(\.received), in: transaction)
    let new = messages.filter { fresh.remove($0.received.update.wamid) != nil }
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
    var fresh = try await inbound.insert(events: events.map(\.received), in: transaction)
    let new = events.filter { fresh.remove($0.received.update.key) != nil }
    for item in new {
      followUps.count(
        .providerEvent, item.received.update.field, of: item.received.business,
        at: item.received.update.at ?? item.received.receivedAt)
    }
    try await ManagementEventHandler(inbound: inbound, suspensions: suspensions).apply(
      new.map(\.received), in: transaction)
  }
}
