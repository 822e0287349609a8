/// How many runs of one pool were accepted and have ended; numbers that only grow. Moving jobs to another pool moves
/// their counts.
package struct JobFlow: Sendable, Equatable {
  package var accepted = 0
  package var completed = 0
  package var cancelled = 0
  package var dead = 0

  package init(accepted: Int = 0, completed: Int = 0, cancelled: Int = 0, dead: Int = 0) {
    self.accepted = accepted
    self.completed = completed
    self.cancelled = cancelled
    self.dead = dead
  }

  /// Runs with a receipt.
  package var ended: Int { completed + cancelled + dead }
  /// Runs that must be somewhere: queued, running, scheduled ...
  package var open: Int { accepted - ended }

  package static func + (left: JobFlow, right: JobFlow) -> JobFlow {
    JobFlow(
      accepted: left.accepted + right.accepted, completed: left.completed + right.completed,
      cancelled: left.cancelled + right.cancelled, dead: left.dead + right.dead)
  }
}
