internal import Foundation
internal import Synchronization

/// Attempts of this process that have sent nothing and never will, though their messages may be marked as being sent:
/// the commit of the mark was in doubt, or the process slept until it was too late for the call. Whoever meets such a
/// mark takes the message back at once; nobody has to wait for a status report that cannot come.
final class UnsentAttempts: Sendable {
  private struct State {
    var attempts: Set<UUID> = []
    var order: [UUID] = []
  }
  private let state = Mutex(State())

  /// The older half is forgotten beyond this many; their messages are in doubt then, and resolved as such.
  private static let countMax = 10_000

  func insert(_ attempt: UUID) {
    state.withLock { state in
      guard state.attempts.insert(attempt).inserted else { return }
      state.order.append(attempt)
      guard state.order.count > Self.countMax else { return }
      state.attempts.subtract(state.order.prefix(Self.countMax / 2))
      state.order.removeFirst(Self.countMax / 2)
    }
  }

  func contains(_ attempt: UUID) -> Bool { state.withLock { $0.attempts.contains(attempt) } }
}
