internal import Synchronization

/// Whether a process is ready, and if not, why.
///
/// Workers are not ready while they cannot work. Where the process is also a front, it is taken out of the load
/// balancer by this: bookings and webhooks need the broker alone, so what the workers lack counts only until they have
/// begun.
package final class Readiness: Sendable {
  private let isFront: Bool
  private let isStopping: @Sendable () -> Bool
  private let workersReason: @Sendable () -> String?
  private let isBrokerReady: @Sendable () -> Bool
  private let haveWorkersBegun = Atomic(false)

  /// - Parameter isFront: the process accepts bookings and webhooks.
  /// - Parameter workersReason: why its workers are not ready; nil: they are, or it has none.
  package init(
    isFront: Bool, isStopping: @escaping @Sendable () -> Bool, workersReason: @escaping @Sendable () -> String?,
    isBrokerReady: @escaping @Sendable () -> Bool
  ) {
    self.isFront = isFront
    self.isStopping = isStopping
    self.workersReason = workersReason
    self.isBrokerReady = isBrokerReady
  }

  /// nil: ready.
  package var notReadyReason: String? {
    if isStopping() { return "stopping" }
    if let reason = workersReason() {
      guard isFront, haveWorkersBegun.load(ordering: .relaxed) else { return reason }
    } else {
      haveWorkersBegun.store(true, ordering: .relaxed)
    }
    return isBrokerReady() ? nil : "RabbitMQ is unreachable, silent, or blocked by an alarm"
  }
}
