package import Foundation

/// How long a command waits for its booking, and how often it polls.
///
/// The booking may still be in a queue; if that queue's pool is paused for a night, the command waits that long. The
/// polls get rarer with time, so that commands for bookings that do not exist cost little: about 200 polls in a day.
package enum CommandPollPolicy {
  /// A command that has waited for this long, in seconds, ends: its booking does not exist.
  package static let timeout: TimeInterval = 86_400

  /// The delay before the next poll, in seconds: an eighth of the time waited so far, between one second and ten
  /// minutes. Nil: the command has waited long enough. A negative time (clocks that disagree) counts as none.
  package static func delay(afterWaiting waited: TimeInterval) -> TimeInterval? {
    waited < timeout ? min(max(waited / 8, 1), 600) : nil
  }
}
