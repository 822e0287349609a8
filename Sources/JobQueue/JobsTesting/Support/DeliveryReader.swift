package import Jobs

/// Reads a subscription in a task of its own and keeps what came, for a test to look at.
package final class DeliveryReader: Sendable {
  private let received = Locked<[JobDelivery]>([])
  private let ended = Locked(false)

  /// Starts reading; `handle` sees each delivery once.
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

  /// What has come, in order.
  package var deliveries: [JobDelivery] { received.value }

  /// The envelopes of those that could be read, in order.
  package var envelopes: [JobEnvelope] { deliveries.compactMap(\.envelope) }

  /// True once the subscription's stream has ended.
  package var isEnded: Bool { ended.value }

  /// Waits until so many have come in all, and returns them; throws ``ConformanceFailure`` where they do not.
  package func wait(for count: Int) async throws -> [JobDelivery] {
    try await waitUntil("\(count) deliveries came") { deliveries.count >= count }
    return deliveries
  }

  /// Waits until the stream has ended.
  package func waitForEnd() async throws { try await waitUntil("the deliveries ended") { isEnded } }
}

extension JobDelivery {
  /// The job; nil where it could not be read.
  package var envelope: JobEnvelope? { if case .job(let envelope) = content { envelope } else { nil } }
}
