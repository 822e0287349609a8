package import Jobs

/// Reads a subscription in a task of its own and collects the deliveries.
package final class DeliveryReader: Sendable {
  private let received = Locked<[JobDelivery]>([])
  private let ended = Locked(false)

  /// - Parameter handle: called once for each delivery.
  package init(_ subscription: any JobSubscription, handle: @escaping @Sendable (JobDelivery) -> Void = { _ in }) {
    let (received, ended) = (self.received, self.ended)
    Task {
      for await batch in subscription.deliveries {
        for delivery in batch {
          received.change { $0.append(delivery) }
          handle(delivery)
        }
      }
      ended.change { $0 = true }
    }
  }

  /// In order.
  package var deliveries: [JobDelivery] { received.value }

  /// The envelopes of the readable ones, in order.
  package var envelopes: [JobEnvelope] { deliveries.compactMap(\.envelope) }

  package var isEnded: Bool { ended.value }

  /// Waits until there are `count` deliveries in all, and returns them; throws ``ConformanceFailure`` after a time
  /// limit.
  package func wait(for count: Int) async throws -> [JobDelivery] {
    try await waitUntil("\(count) deliveries") { deliveries.count >= count }
    return deliveries
  }

  package func waitForEnd() async throws { try await waitUntil("the end of the deliveries") { isEnded } }
}

extension JobDelivery {
  /// Nil: the message is unreadable.
  package var envelope: JobEnvelope? { if case .job(let envelope) = content { envelope } else { nil } }
}
