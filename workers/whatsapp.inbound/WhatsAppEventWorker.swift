public import Foundation
public import Jobs
internal import Reporting
public import Stores
internal import WhatsApp

/// Turns webhooks into messages, status reports and events in the database, each once, and customers' pressed buttons
/// into jobs. What it cannot read it stores; nothing a webhook holds is an error.
public struct WhatsAppEventWorker: BatchWorker {
  private let inbound = InboundStore()
  private let pauses = PauseStore()
  private let messages: OutboundStore
  private let now: @Sendable () -> Date

  /// - Parameter messages: what goes out again after a failure goes through it.
  /// - Parameter now: the clock by which acceptances that only a report tells of are counted.
  public init(messages: OutboundStore = OutboundStore(), now: @escaping @Sendable () -> Date = { Date() }) {
    self.messages = messages
    self.now = now
  }

  /// Stores what is new in all POSTs of the batch with one statement a kind, and acts on that alone.
  public func work(
    _ batch: [BatchItem<WhatsAppEvent>], in transaction: StoreTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let arrivals = try await Arrivals(batch, inbound, in: transaction)
    try await inbound.learn(arrivals.accounts, in: transaction)
    // Reports last: they hold messages that are being sent.
    try await take(arrivals.events, in: transaction, &followUps)
    try await take(arrivals.messages, in: transaction, &followUps)
    try await take(arrivals.statuses, in: transaction, &followUps)
    return batch.map { _ in .completed }
  }

  private func take(
    _ statuses: [Arrivals.Item<StatusReport>], in transaction: StoreTransaction, _ followUps: inout FollowUps
  ) async throws {
    var fresh = try await inbound.insert(statuses: statuses.map(\.arrival), in: transaction)
    let new = statuses.filter { fresh.remove(InboundStore.StatusKey($0.arrival.update)) != nil }
    let deliveries = try await inbound.settle(new.map(\.arrival.update), in: transaction)
    var settled = Set<UUID>()
    for item in new {
      let report = item.arrival.update
      let delivery = deliveries[report.wamid]
      let business = delivery?.business ?? item.arrival.business
      followUps.count(
        .messageStatus, report.status.rawValue, of: business, at: report.at ?? item.arrival.receivedAt)
      guard let delivery, settled.insert(delivery.message).inserted else { continue }
      if delivery.isNewlyAccepted {
        followUps.count(.messageAccepted, delivery.notice.rawValue, of: business, at: now())
        // It was given up, and was accepted after all: then it was not "not sent".
        if delivery.before.isEnd {
          followUps.count(.messageEnded, delivery.before.rawValue, of: business, at: now(), by: -1)
        }
      }
      if let code = delivery.newFailure {
        try await FailureConsequences(messages: messages, pauses: pauses, now: now)
          .take(code, delivery, item, in: transaction, &followUps)
      }
    }
  }

  private func take(
    _ messages: [Arrivals.Item<InboundMessage>], in transaction: StoreTransaction, _ followUps: inout FollowUps
  ) async throws {
    var fresh = try await inbound.insert(messages: messages.map(\.arrival), in: transaction)
    let new = messages.filter { fresh.remove($0.arrival.update.wamid) != nil }
    for item in new {
      let message = item.arrival.update
      followUps.count(
        .messageReceived, message.type, of: item.arrival.business, at: message.at ?? item.arrival.receivedAt)
    }
    try await ReplyReader().take(new, in: transaction, &followUps)
  }

  private func take(
    _ events: [Arrivals.Item<ProviderEvent>], in transaction: StoreTransaction, _ followUps: inout FollowUps
  ) async throws {
    var fresh = try await inbound.insert(events: events.map(\.arrival), in: transaction)
    let new = events.filter { fresh.remove($0.arrival.update.key) != nil }
    for item in new {
      followUps.count(
        .providerEvent, item.arrival.update.field, of: item.arrival.business,
        at: item.arrival.update.at ?? item.arrival.receivedAt)
    }
    try await EventConsequences(inbound: inbound, pauses: pauses).apply(new.map(\.arrival), in: transaction)
  }
}
