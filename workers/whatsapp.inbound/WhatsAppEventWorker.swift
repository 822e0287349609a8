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
  private let now: @Sendable () -> Date

  /// `now` is the clock by which acceptances that only a report tells of are counted.
  public init(now: @escaping @Sendable () -> Date = { Date() }) { self.now = now }

  /// Stores what is new in all POSTs of the batch with one statement a kind, and acts on that alone.
  public func work(
    _ batch: [BatchItem<WhatsAppEvent>], in transaction: StoreTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    let arrivals = try await Arrivals(batch, inbound, in: transaction)
    try await take(arrivals.statuses, in: transaction, &followUps)
    try await take(arrivals.messages, in: transaction, &followUps)
    try await take(arrivals.events, in: transaction, &followUps)
    return batch.map { _ in .completed }
  }

  private func take(
    _ statuses: [Arrivals.Item<StatusReport>], in transaction: StoreTransaction, _ followUps: inout FollowUps
  ) async throws {
    var fresh = try await inbound.insert(statuses: statuses.map(\.arrival), in: transaction)
    let new = statuses.filter { fresh.remove(InboundStore.StatusKey($0.arrival.update)) != nil }
    let deliveries = try await inbound.settle(new.map(\.arrival.update), in: transaction)
    var accepted = Set<UUID>()
    for item in new {
      let report = item.arrival.update
      let delivery = deliveries[report.wamid]
      let business = delivery?.business ?? item.arrival.business
      followUps.count(
        .messageStatus, report.status.rawValue, of: business, at: report.at ?? item.arrival.receivedAt)
      if let delivery, delivery.isNewlyAccepted, accepted.insert(delivery.message).inserted {
        followUps.count(.messageAccepted, delivery.notice.rawValue, of: business, at: now())
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
    for item in events where fresh.remove(item.arrival.update.key) != nil {
      let event = item.arrival.update
      let at = event.at ?? item.arrival.receivedAt
      followUps.count(.providerEvent, event.field, of: item.arrival.business, at: at)
      try await apply(event, at, in: transaction)
    }
  }

  /// What an event changes. Sending then tries by itself: a pause only says when.
  private func apply(_ event: ProviderEvent, _ at: Date, in transaction: StoreTransaction) async throws {
    let account = event.origin.account ?? event.origin.phoneNumberID ?? ""
    switch event.effect {
    case .none: return
    case .template(let name, let language, let state):
      let isNews = try await inbound.put(
        template: name, language: language, account: account, state: state, at: at, in: transaction)
      guard isNews else { return }
      let key = PauseStore.key(template: name, language: language, account: account)
      if state == .approved { return try await pauses.lift([(.template, key)], in: transaction) }
      // Until the provider says that it is approved again; should that be lost, a message tries once a while.
      let until = now().addingTimeInterval(state == .paused ? 3 * 3_600 : 86_400)
      try await pauses.put(SendPause(scope: .template, key: key, until: until, code: 0), in: transaction)
    case .marketing(let preferences):
      guard let number = event.origin.phoneNumberID else { return }
      for preference in preferences {
        try await inbound.put(preference, number: number, at: preference.at ?? at, in: transaction)
      }
    case .accountRestricted(let until):
      guard until > now() else { return }
      try await pauses.put(SendPause(scope: .account, key: account, until: until, code: 0), in: transaction)
    case .accountBanned(true):
      let until = now().addingTimeInterval(86_400)
      try await pauses.put(SendPause(scope: .account, key: account, until: until, code: 0), in: transaction)
    case .accountBanned(false): try await pauses.lift([(.account, account)], in: transaction)
    }
  }
}
