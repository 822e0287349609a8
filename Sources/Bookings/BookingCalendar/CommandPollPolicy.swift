package import Foundation

/// How long a command waits for the booking it is about, and how often it is looked for.
///
/// The booking may still be on its way through the queues; where the pool before was paused for a night that takes as
/// long. The longer it takes, the rarer the looks, lest commands about bookings that never were keep workers busy: some
/// 200 of them in a day.
package enum CommandPollPolicy {
  /// After so long there is no such booking: a day, in seconds.
  package static let timeout: TimeInterval = 86_400

  /// The pause before the next look, in seconds: an eighth of the time waited so far, between a second and ten minutes.
  /// Nil where the command has waited long enough. A negative time, of clocks that disagree, is none.
  package static func delay(afterWaiting waited: TimeInterval) -> TimeInterval? {
    waited < timeout ? min(max(waited / 8, 1), 600) : nil
  }
}
