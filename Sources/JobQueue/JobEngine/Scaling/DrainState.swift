internal import Synchronization

/// Whether this node is draining.
final class DrainState: Sendable {
  let signal = Signal()
  private let draining = Mutex(false)

  var isDraining: Bool { draining.withLock { $0 } }

  func start() {
    draining.withLock { $0 = true }
    signal.send()
  }
}
