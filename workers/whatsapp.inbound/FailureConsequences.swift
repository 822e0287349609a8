internal import Foundation
internal import Jobs
internal import Reporting
internal import Stores
internal import WhatsApp

/// What follows from a message that failed after it was accepted: most refusals come that way.
struct FailureConsequences {
  let messages: OutboundStore
  let pauses: PauseStore
  let now: @Sendable () -> Date

  func take(
    _ code: Int, _ delivery: InboundStore.Delivery, _ item: Arrivals.Item<StatusReport>,
    in transaction: StoreTransaction, _ followUps: inout FollowUps
  ) async throws {
    switch CloudError(code: code, httpStatus: 400).verdict() {
    case .undeliverable: try await tryOtherForm(delivery, item.cause, in: transaction, &followUps)
    case .pause(let scope, let probeAfter):
      let origin = item.arrival.update.origin
      let key: String? =
        switch scope {
        case .number: origin.phoneNumberID
        case .account: origin.account ?? origin.phoneNumberID
        case .message, .pair, .template: nil  // a report names no template
        }
      guard let key, code != 0 else { return }
      let until = try await pauses.now(in: transaction).addingTimeInterval(probeAfter / .seconds(1))
      try await pauses.put(SendPause(scope: scope, key: key, until: until, code: code), in: transaction)
    default: return
    }
  }

  /// A Brazilian number that nobody has on WhatsApp is tried once in its other form: as a message of its own, because
  /// this one was accepted.
  private func tryOtherForm(
    _ delivery: InboundStore.Delivery, _ cause: JobInfo, in transaction: StoreTransaction,
    _ followUps: inout FollowUps
  ) async throws {
    let id = UUID.version7(at: now())
    guard let number = try await messages.prepareOtherForm(of: delivery.message, as: id, in: transaction) else {
      return
    }
    try followUps.enqueue(SendTemplate(message: id, number: number), from: cause, tenant: delivery.business)
    followUps.count(.messagePrepared, "\(delivery.notice.rawValue).other_form", of: delivery.business, at: now())
  }
}
