import Foundation
import Glibc
import TestPlatform

/// What came of a run: the four-way count over bookings, webhooks and messages, and what else is not as it should be.
struct FaultReport: Sendable, CustomStringConvertible {
  let seed: UInt64
  /// How often each kind of fault was in it.
  let faults: [(kind: String, count: Int)]
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
  var violations: [String] = []

  init(seed: UInt64, faults: [(kind: String, count: Int)]) {
    self.seed = seed
    self.faults = faults
  }

  var isClean: Bool { lost == 0 && unexpected == 0 && duplicated == 0 && violations.isEmpty }

  /// The one line of the log, which `scripts/faults` adds up.
  var description: String {
    let counts = faults.map { "\($0.kind):\($0.count)" }.joined(separator: ",")
    func milliseconds(_ time: Duration?) -> String { time.map { "\(Int($0 / .milliseconds(1)))" } ?? "-" }
    return """
      fault-run seed=\(seed) result=\(isClean ? "ok" : "failed") seconds=\(seconds) accepted=\(accepted) \
      unanswered=\(unanswered) lost=\(lost) recovered=\(recovered) unexpected=\(unexpected) duplicated=\(duplicated) \
      dead=\(dead) messages=\(messages) webhooks=\(webhooks) worker_recovery_ms=\(milliseconds(workerRecovery)) \
      broker_recovery_ms=\(milliseconds(brokerRecovery)) faults=\(counts)
      """
  }
}

extension FaultReport {
  /// Does the four-way count, once the load is over and the platform at rest.
  mutating func account(_ load: BookingLoad, _ webhooks: WebhookLoad, on platform: Platform) async throws {
    let (accepted, inDoubt) = load.result
    let bookings = try await BookingReconciliation.count(platform, accepted: accepted, inDoubt: inDoubt)
    let posts = try await webhooks.account()
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

  /// Prints its line and what it complains of, and adds the line to the log, if there is one.
  func publish() {
    print(self)
    for violation in violations { print("seed \(seed): \(violation)") }
    fflush(nil)
    // What is printed comes out when the tests are over; the log has it now.
    if let log = FaultRunOptions.log, let file = fopen(log, "a") {
      fputs("\(self)\n", file)
      fclose(file)
    }
  }
}
