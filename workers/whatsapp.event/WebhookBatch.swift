internal import Foundation
internal import Jobs
internal import Messaging
internal import Postgres
internal import WhatsApp

/// The updates of a batch of webhooks, with the businesses they belong to.
struct WebhookBatch {
  /// An update, and the job that brought it.
  struct Item<Update: Sendable>: Sendable {
    let received: InboundStore.ReceivedUpdate<Update>
    let cause: JobInfo
  }

  private(set) var messages: [Item<InboundMessage>] = []
  private(set) var statuses: [Item<StatusReport>] = []
  private(set) var events: [Item<ProviderEvent>] = []
  /// The accounts of numbers, by phone number id.
  private(set) var accounts: [String: String] = [:]

  init(_ batch: [BatchItem<WhatsAppEvent>], _ inbound: InboundStore, in transaction: PostgresTransaction) async throws {
    let parsed = await WebhookParser.updates(inAll: batch.map(\.job.body))
    let updates = zip(batch, parsed).flatMap { item, updates in updates.map { (update: $0, cause: item.info) } }
    let businesses = try await inbound.businesses(of: Set(updates.map(\.update.origin)), in: transaction)
    for (update, cause) in updates {
      let business = businesses[update.origin]
      if let number = update.origin.phoneNumberID, number.utf8.count <= 64, let account = update.origin.account {
        accounts[number] = account
      }
      func item<Update>(_ update: Update) -> Item<Update> {
        Item(
          received: .init(update, business: business, job: cause.jobRun.id.uuid, receivedAt: cause.enqueuedAt),
          cause: cause)
      }
      switch update {
      case .message(let message): messages.append(item(message))
      case .status(let report): statuses.append(item(report))
      case .event(let event): events.append(item(event))
      }
    }
  }
}

extension WebhookUpdate {
  fileprivate var origin: WebhookOrigin {
    switch self {
    case .message(let message): message.origin
    case .status(let report): report.origin
    case .event(let event): event.origin
    }
  }
}
