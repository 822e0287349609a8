package import Foundation

/// A message from a queue of the broker.
package struct JobDelivery: Sendable {
  package enum Content: Sendable {
    case job(JobEnvelope)
    /// The message's properties are not those of a job.
    case unreadable(reason: String)
    /// The body was too large to be kept: ``JobDelivery/body`` is empty, and the text says how large it was.
    case oversize(detail: String)
  }

  package let content: Content
  /// The body as it came; empty for one that was too large to be kept.
  package let body: Data
  /// True when the message was delivered before, to this process or another.
  package let redelivered: Bool
  /// Set on messages from a pool's dead letters.
  package let deadLetterInfo: DeadLetterInfo?
  private let settle: @Sendable (_ isAcknowledged: Bool) -> Void
  private let isStillHeld: @Sendable () -> Bool
  private let makeContentID: @Sendable () -> JobID

  /// - Parameters:
  ///   - contentID: makes ``contentID`` from all that the adapter knows of the message; nil: of the body alone.
  ///   - isStillHeld: false when the broker has taken the unsettled message back. It is called with locks held and must
  ///     return at once.
  ///   - settle: tells the broker: true to delete the message, false to requeue it. The engine calls it once.
  package init(
    content: Content, body: Data, redelivered: Bool, deadLetterInfo: DeadLetterInfo? = nil,
    contentID: (@Sendable () -> JobID)? = nil, isStillHeld: @escaping @Sendable () -> Bool = { true },
    settle: @escaping @Sendable (_ isAcknowledged: Bool) -> Void
  ) {
    self.content = content
    self.body = body
    self.redelivered = redelivered
    self.deadLetterInfo = deadLetterInfo
    self.isStillHeld = isStillHeld
    makeContentID =
      contentID ?? {
        var digest = ContentDigest()
        digest.append(body)
        return JobID(digest.uuid)
      }
    self.settle = settle
  }

  /// True while this process holds the unsettled message. False when the broker has taken it back, as after a lost
  /// connection: it is delivered again, here or elsewhere, and settling this delivery does nothing. Meaningless once
  /// the message is settled.
  package var isHeld: Bool { isStillHeld() }

  /// Nil: the message is unreadable, or too large.
  package var jobRun: JobRun? { if case .job(let envelope) = content { envelope.jobRun } else { nil } }

  /// A stable id for a message whose own cannot be read: a hash of its queue, properties and body. A copy of the
  /// message has the same id, another message has another. It is made anew at each call.
  package var contentID: JobID { makeContentID() }

  /// Lets the broker delete the message.
  package func acknowledge() { settle(true) }

  /// Puts the message back into its queue, untouched.
  package func requeue() { settle(false) }
}
