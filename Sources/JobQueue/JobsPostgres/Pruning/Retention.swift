internal import Foundation

/// How long the store keeps rows of jobs that have ended.
package struct Retention: Sendable, Equatable {
  /// Days for which a receipt is kept after its job was completed, at least 9; by default 15.
  ///
  /// A receipt may be deleted when no copy of its job can be delivered any more. The sum: 8 days of retries (a provider
  /// repeats a webhook for 7 days, and 1,000 attempts in `whatsapp.send` that are 10 minutes apart take 7 as well; one
  /// day for the way through the queues), 6 that a copy may wait in the queue of a pool that is paused or down, and 1
  /// for clocks that differ. So a pool may stand still for at most this less 9 days. Copies in the outbox, scheduled
  /// jobs and open dead letters do not count: while a job is there, its receipts stay, however old they are.
  package var receiptDays: Int
  /// Days for which a dead letter is kept after it was retried or archived, by default 30: time to see and undo a
  /// mistake by hand. Open letters are kept for ever.
  package var deadLetterDays: Int
  /// Days for which the audit log of operators' changes is kept, by default 400: one year, and a month in which
  /// questions about that year can still be answered.
  package var auditDays: Int

  package init(receiptDays: Int = 15, deadLetterDays: Int = 30, auditDays: Int = 400) {
    precondition(receiptDays >= 9, "a job may be tried again for 8 days, and clocks may differ by one")
    self.receiptDays = receiptDays
    self.deadLetterDays = deadLetterDays
    self.auditDays = auditDays
  }

  /// Rows older than this have been kept for that many days.
  static func cutoff(_ days: Int, before now: Date) -> Date { now.addingTimeInterval(Double(days) * -86_400) }
}
