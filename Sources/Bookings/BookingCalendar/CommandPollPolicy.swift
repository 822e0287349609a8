package import Foundation

/// How long a command waits for its booking, and how often it polls.
///
/// The booking may still be in a queue; if that queue's pool is paused for a night, the command waits that long. The
/// polls get rarer with time.
package enum CommandPollPolicy {
  /// What a command waits for.
  package enum Wait: Sendable {
    /// The booking is stored and being decided: it exists, and is looked at often.
    case decision
    /// No such booking is stored. Anybody can name one that does not exist, so each poll comes after as long a time as
    /// was waited before: seven looks in the first minute, then one in ten.
    case booking
  }

  /// A command that has waited for this long, in seconds, ends: its booking does not exist, or is never decided.
  package static let timeout: TimeInterval = 86_400

  /// The delay before the next poll, in seconds, between one second and ten minutes. Nil: the command has waited long
  /// enough. A negative time (clocks that disagree) counts as none.
  package static func delay(_ wait: Wait, afterWaiting waited: TimeInterval) -> TimeInterval? {
    guard waited < timeout else { return nil }
    let step =
      switch wait {
      case .decision: waited / 8
      case .booking: waited
      }
    return min(max(step, 1), 600)
  }

  /// How long a booking may be on its way to the store: longer than any pool may stay paused.
  private static let onItsWayMax: TimeInterval = 8 * 86_400
  /// How far the clocks of two nodes may differ.
  private static let clockDifferenceMax: TimeInterval = 600

  /// Whether a booking that is not stored may be on its way, at the time of a command for it.
  ///
  /// Ids are made by the front: version 7 with the time in it, or version 8 from a client's idempotency key. Any other
  /// is invented, and so is a time that is too long ago or still to come.
  package static func mayBeOnItsWay(_ booking: UUID, at command: Date) -> Bool {
    let bytes = booking.uuid
    switch bytes.6 >> 4 {
    case 7:
      let parts = [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5]
      let milliseconds = parts.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let age = command.timeIntervalSince1970 - TimeInterval(milliseconds) / 1_000
      return (-clockDifferenceMax...onItsWayMax).contains(age)
    case 8: return true
    default: return false
    }
  }
}
