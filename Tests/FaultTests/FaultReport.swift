/// What came of a run: the four-way count over bookings, webhooks and messages, and what else is not as it should be.
struct FaultReport: Sendable, CustomStringConvertible {
  let schedule: FaultSchedule
  /// Bookings whose 202 was seen, and requests without a clear answer.
  var accepted = 0
  var unanswered = 0
  /// Accepted, and without an end.
  var lost = 0
  /// Without a clear answer, and done all the same: allowed.
  var recovered = 0
  /// Done, and never asked for.
  var unexpected = 0
  /// Effects that happened twice.
  var duplicated = 0
  /// Jobs that died because processes were killed under them again and again, and were run again by hand.
  var dead = 0
  var messages = 0
  var webhooks = 0
  /// Of the whole run, with starting its servers.
  var seconds = 0
  /// From a worker's SIGKILL until all that was accepted before had its end, and from the broker's return until the
  /// next answer: the longest of each, while other faults may be at work.
  var workerRecovery: Duration?
  var brokerRecovery: Duration?
  /// All else that is wrong, in words.
  var complaints: [String] = []

  init(_ schedule: FaultSchedule) { self.schedule = schedule }

  var isClean: Bool { lost == 0 && unexpected == 0 && duplicated == 0 && complaints.isEmpty }

  /// The one line of the log, which `scripts/faults` adds up.
  var description: String {
    let counts = schedule.counts.map { "\($0.kind.rawValue):\($0.count)" }.joined(separator: ",")
    func milliseconds(_ time: Duration?) -> String { time.map { "\(Int($0 / .milliseconds(1)))" } ?? "-" }
    return """
      fault-run seed=\(schedule.seed) result=\(isClean ? "ok" : "failed") seconds=\(seconds) accepted=\(accepted) \
      unanswered=\(unanswered) lost=\(lost) recovered=\(recovered) unexpected=\(unexpected) duplicated=\(duplicated) \
      dead=\(dead) messages=\(messages) webhooks=\(webhooks) worker_recovery_ms=\(milliseconds(workerRecovery)) \
      broker_recovery_ms=\(milliseconds(brokerRecovery)) faults=\(counts)
      """
  }
}
