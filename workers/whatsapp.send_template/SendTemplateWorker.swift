package import Foundation
package import Jobs
internal import Logging
package import Messaging
package import Postgres
internal import Reports
package import WhatsApp

/// Sends a message to a customer, once.
///
/// The effect is outside the store, so there are two transactions. The first moves the intent from `prepared` to
/// `sending`, which only one attempt can do; then the call is made; the completing transaction stores the answer with
/// the receipt. A `sending` whose process died, or whose answer never came, is in doubt: a status report decides. If
/// none arrives within ``InDoubtPolicy/quiet``, the policy decides. The message is never sent again before that.
package struct SendTemplateWorker: Worker {
  /// What to do with a message in doubt.
  package struct InDoubtPolicy: Sendable {
    /// How long to wait for a report, in seconds. If there is none, and webhooks of later events came for as long, the
    /// message was not accepted.
    package var quiet: TimeInterval
    /// How often it is sent again at most.
    package var resends: Int

    package init(quiet: TimeInterval = 600, resends: Int = 3) {
      self.quiet = quiet
      self.resends = resends
    }
  }

  let messages: MessageStore
  let suspensions = SuspensionStore()
  let now: @Sendable () -> Date
  private let policy: InDoubtPolicy
  private let api: any MessageSender
  private let clock: @Sendable () -> ContinuousClock.Instant
  private let unsent = UnsentAttempts()

  /// - Parameter now: dates the counts for the reports.
  /// - Parameter clock: tells whether there is still time for a call.
  package init(
    api: any MessageSender, messages: MessageStore, policy: InDoubtPolicy = InDoubtPolicy(),
    now: @escaping @Sendable () -> Date = { Date() },
    clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.api = api
    self.messages = messages
    self.policy = policy
    self.now = now
    self.clock = clock
  }

  /// Completes if WhatsApp accepts the message. Cancels if it is refused permanently, superseded or expired; snoozes if
  /// it must wait; throws, to be retried, if WhatsApp has a failure.
  package func work(_ job: SendTemplate, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    let decision = SendDecision(
      messages: messages, suspensions: suspensions, policy: policy, job: context.info.jobRun.id.uuid,
      attempt: UUID.version4(), unsent: unsent, deadline: context.deadline, clock: clock)
    switch try await step(decision, job, context) {
    case .alreadyAccepted: return .completed
    case .alreadyEnded(let reason): return .cancelled(reason: reason)
    case .snooze(let delay, let reason): return .snoozed(for: delay, reason: reason)
    case .end(let message, let state, let reason):
      return try await end(message, as: state, from: [message.state], reason: reason, context)
    case .send(let attempt):
      Failpoint.afterIntent.visit()
      guard decision.mayCall(attempt) else { return try await giveBack(attempt, context) }
      let result = await api.send(
        TemplateMessage(
          from: attempt.message.phoneNumberID, to: .number(attempt.number), content: attempt.content,
          callback: attempt.message.id.uuidString.lowercased()))
      Failpoint.afterSend.visit()
      return try await handleResult(result, attempt, context)
    }
  }

  /// The transaction before the call. Where it fails nothing is sent, but the mark may be stored all the same.
  private func step(
    _ decision: SendDecision, _ job: SendTemplate, _ context: JobContext<PostgresTransaction>
  ) async throws -> SendDecision.Step {
    do {
      return try await context.withTransaction { try await decision.step(job.message, in: $0) }
    } catch {
      unsent.insert(decision.attempt)
      throw error
    }
  }

  /// Gives a message back for which there was no time left after it was marked.
  private func giveBack(
    _ attempt: SendAttempt, _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    unsent.insert(attempt.id)
    context.logger.warning("too late to send a message that was begun: it is given back unsent, and tried again")
    _ = try await context.withTransaction {
      try await messages.takeBack(attempt.message.id, from: attempt.id, in: $0)
    }
    return .snoozed(for: .seconds(1), reason: "too much time passed between its mark and the call")
  }

  /// Ends a message without sending it (again), unless its state has changed.
  ///
  /// - Parameter refused: the attempt that was refused, and the error's code; nil: nothing was sent.
  func end(
    _ message: OutgoingMessage, as state: MessageState, from states: [MessageState], reason: String,
    refused: (attempt: SendAttempt, code: Int)? = nil, _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard
        try await messages.finish(message.id, as: state, from: states, code: refused?.code, in: transaction)
      else {
        return .snoozed(for: SendDecision.inDoubtPollInterval, reason: "its state changed concurrently")
      }
      if let refused, refused.attempt.recipientID != nil, refused.code == CloudError.undeliverableCode {
        try await messages.deleteRecipientID(
          of: refused.attempt.customerNumber, of: message.business, in: transaction)
      }
      followUps.count(.messageNotSent, state.rawValue, of: message.business, at: now())
      return .cancelled(reason: reason)
    }
  }
}
