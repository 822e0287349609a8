internal import Foundation

/// For how long the store remembers what is over.
package struct Retention: Sendable, Equatable {
  /// Days for which a receipt is kept after its job was completed, at least 9; by default 15.
  ///
  /// A receipt may go when no copy of its job can come any more. The sum: 8 days for the longest that anything is
  /// tried again (a provider repeats a webhook for 7 days, and 1,000 attempts in `whatsapp.send` that are 10 minutes
  /// apart are 7 as well; one more for the way through the queues), 6 that a copy may lie in the queue of a pool that
  /// is paused or down, and 1 for clocks that differ. So no pool may stand still for longer than this less 9 days.
  /// Copies in the outbox, among the scheduled and among the open dead letters are no part of the sum: while a job
  /// stands there, its receipts stay, however old they are.
  package var receiptDays: Int
  /// Days for which a dead letter is kept after it was retried or archived, by default 30: so long can be seen, and
  /// taken back by hand, what was given up by mistake. Open letters are kept for ever.
  package var deadLetterDays: Int
  /// Days for which the operators' changes are kept, by default 400: a year, and a month to ask about it.
  package var auditDays: Int

  /// Retentions in days.
  package init(receiptDays: Int = 15, deadLetterDays: Int = 30, auditDays: Int = 400) {
    precondition(receiptDays >= 9, "a job may be tried again for 8 days, and clocks may differ by one")
    self.receiptDays = receiptDays
    self.deadLetterDays = deadLetterDays
    self.auditDays = auditDays
  }

  /// What is older than this has been kept for so many days.
  static func cutoff(_ days: Int, before now: Date) -> Date { now.addingTimeInterval(Double(days) * -86_400) }
}
