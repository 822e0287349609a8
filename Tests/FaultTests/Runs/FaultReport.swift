import Foundation
import Glibc
import TestPlatform

/// The result of a run: the reconciliation of bookings, webhooks and messages, and all violations.
struct FaultReport: Sendable, CustomStringConvertible {
  let seed: UInt64
  /// The number of faults of each kind.
  var faults: [(kind: String, count: Int)]
  /// Bookings that were answered 202.
  var accepted = 0
  /// Requests without an answer, or in doubt.
  var unanswered = 0
  /// Accepted without a final state.
  var lost = 0
  /// Unanswered and completed: allowed.
  var recovered = 0
  /// Completed without a request.
  var unexpected = 0
  /// Effects that happened twice.
  var duplicated = 0
  /// Jobs that died of repeated crashes and were retried by an operator.
  var dead = 0
  /// Processes that ended for want of descriptors and were started again.
  var ended = 0
  /// Jobs in queues that were purged, at least, and those that an operator's command put back.
  var purged = 0
  var putBack = 0
  var messages = 0
  var webhooks = 0
  /// The length of the whole run, with the start of its servers.
  var seconds = 0
  /// The longest times from a worker's SIGKILL until all earlier bookings were final, and from the broker's return
  /// until the next answer. Other faults may be active meanwhile.
  var workerRecovery: Duration?
  var brokerRecovery: Duration?
  /// Everything else that is wrong.
  var violations: [String] = []

  init(seed: UInt64, faults: [(kind: String, count: Int)]) {
    self.seed = seed
    self.faults = faults
  }

  var isClean: Bool { lost == 0 && unexpected == 0 && duplicated == 0 && violations.isEmpty }

  /// The line of the log, which `scripts/faults` parses.
  var description: String {
    let counts = faults.map { "\($0.kind):\($0.count)" }.joined(separator: ",")
    func milliseconds(_ time: Duration?) -> String { time.map { "\(Int($0 / .milliseconds(1)))" } ?? "-" }
    return """
      fault-run seed=\(seed) result=\(isClean ? "ok" : "failed") seconds=\(seconds) accepted=\(accepted) \
      unanswered=\(unanswered) lost=\(lost) recovered=\(recovered) unexpected=\(unexpected) duplicated=\(duplicated) \
      dead=\(dead) ended=\(ended) purged=\(purged) put_back=\(putBack) messages=\(messages) webhooks=\(webhooks) worker_recovery_ms=\(milliseconds(workerRecovery)) \
      broker_recovery_ms=\(milliseconds(brokerRecovery)) faults=\(counts)
      """
  }
}

extension FaultReport {
  /// Compares requests with results, once the load is over and the platform idle.
  mutating func reconcile(_ load: BookingLoad, _ webhooks: WebhookLoad, on platform: Platform) async throws {
    let (accepted, inDoubt) = load.result
    let bookings = try await BookingReconciliation.count(platform, accepted: accepted, inDoubt: inDoubt)
    let posts = try await webhooks.reconcile()
    let messages = try await MessageReconciliation.count(platform)
    self.accepted = accepted.count
    unanswered = inDoubt.count
    self.webhooks = posts.accepted
    self.messages = messages.accepted
    lost = bookings.lost + posts.lost + messages.open
    recovered = bookings.recovered + posts.recovered
    unexpected = bookings.unexpected + posts.unexpected
    duplicated = bookings.duplicated + posts.duplicated + messages.acceptedTwice
    if !bookings.isClean { violations.append("bookings: \(bookings)") }
    if !messages.isClean { violations.append("messages: \(messages)") }
    if posts.lost + posts.unexpected + posts.duplicated > 0 { violations.append("webhooks: \(posts)") }
    let letters = try await platform.deadLetters()
    if !letters.isEmpty { violations.append("dead: \(letters)") }
    if accepted.count < 20 { violations.append("only \(accepted.count) bookings were accepted") }
  }

  /// Prints the line and the violations, and appends the line to the log, if there is one.
  func publish() {
    print(self)
    for violation in violations { print("seed \(seed): \(violation)") }
    fflush(nil)
    // The output of tests appears when they are over; the log has the line now.
    if let log = FaultRunOptions.log, let file = fopen(log, "a") {
      fputs("\(self)\n", file)
      fclose(file)
    }
  }
}
