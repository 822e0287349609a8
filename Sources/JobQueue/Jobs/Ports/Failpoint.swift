internal import Glibc
internal import Synchronization

/// A named place where a test can kill or stop the process. In release builds ``visit()`` does nothing.
///
/// Armed by text: `NAME=ACTION[@N]`, several with commas. Actions: `kill` (SIGKILL to itself), `stop` (SIGSTOP). `@N`
/// acts at the N-th visit; the first by default.
package enum Failpoint: String, Sendable, CaseIterable {
  /// Jobs were taken from the prefetch buffer; none has begun.
  case jobFetched = "job-fetched"
  /// Receipt and effects are written; the commit is not sent.
  case beforeCommit = "before-commit"
  /// The completing transaction is committed; follow-ups are not published.
  case afterCommit = "after-commit"
  /// Follow-ups are published and confirmed; their outbox rows are not deleted.
  case afterOutboxPublish = "after-outbox-publish"
  /// Outbox rows are deleted or about to be; the job is not acknowledged.
  case beforeAcknowledge = "before-acknowledge"
  /// The retry is published and confirmed; the original is not acknowledged.
  case afterRetryPublish = "after-retry-publish"
  /// A snoozed or scheduled job is stored; the original is not acknowledged.
  case afterSchedule = "after-schedule"
  /// The dead letter is published and confirmed; the original is not acknowledged.
  case afterDeadLetterPublish = "after-dead-letter-publish"
  /// The dead letter is in the index; it is not acknowledged.
  case afterDeadLetterIndexed = "after-dead-letter-indexed"
  /// A due job was moved to the outbox; it is not published.
  case afterScheduledRelease = "after-scheduled-release"
  /// The relay published rows; they are not deleted.
  case afterRelayPublish = "after-relay-publish"
  /// Ingest has the broker's confirmation; the client has no answer.
  case afterIngestConfirm = "after-ingest-confirm"
  /// A message's intent says `sending`; nothing was sent.
  case afterIntent = "after-intent"
  /// WhatsApp has answered; the answer is not stored.
  case afterSend = "after-send"

  #if FAILPOINTS
    private struct Armed {
      let action: String
      var visitsLeft: Int
    }
    private static let armed = Mutex<[Failpoint: Armed]>([:])
  #endif

  @inlinable
  package func visit() {
    #if FAILPOINTS
      act()
    #endif
  }

  /// Arms failpoints; throws when the text names one that does not exist, or this build has none.
  package static func arm(_ text: String) throws(Invalid) {
    #if FAILPOINTS
      for part in text.split(separator: ",") {
        let form = /([a-z-]+)=(kill|stop)(?:@([1-9][0-9]{0,17}))?/
        guard let match = part.wholeMatch(of: form), let point = Failpoint(rawValue: String(match.1)),
          let count = match.3.map({ Int($0) }) ?? 1
        else { throw Invalid(text: String(part)) }
        armed.withLock { $0[point] = Armed(action: String(match.2), visitsLeft: count) }
      }
    #else
      if !text.isEmpty { throw Invalid(text: text) }
    #endif
  }

  package struct Invalid: Error, CustomStringConvertible {
    /// The part that cannot be armed; in a build without failpoints the whole text.
    package let text: String
    package var description: String {
      "\"\(text)\" is no failpoint (NAME=kill[@N] or NAME=stop[@N]), or this build has none: "
        + Failpoint.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }

  #if FAILPOINTS
    @usableFromInline
    func act() {
      let action: String? = Self.armed.withLock { armed in
        guard var point = armed[self] else { return nil }
        point.visitsLeft -= 1
        armed[self] = point.visitsLeft > 0 ? point : nil
        return point.visitsLeft == 0 ? point.action : nil
      }
      guard let action else { return }
      // To this thread: a signal to the process may reach another one first, while this one runs on for a moment.
      pthread_kill(pthread_self(), action == "stop" ? SIGSTOP : SIGKILL)
    }
  #endif
}
