package import Foundation
package import Jobs
internal import Logging
package import Messaging
package import Postgres
internal import Reports
package import WhatsApp

/// Sends a message to a customer, once.
///
/// The effect lies outside of the store, so there are two transactions. The first moves the intent from `prepared` to
/// `sending`, which one process only can; then the call is made; the completing transaction stores the answer with the
/// receipt. A `sending` whose process is gone, or whose answer never came, is in doubt: a status report settles it, or
/// the policy after a quiet time. It is never sent again blindly.
package struct SendTemplateWorker: Worker {
  /// What to do with a message of which nobody knows whether it was accepted.
  package struct InDoubtPolicy: Sendable {
    /// How long to wait for a report, in seconds; then, if webhooks of later events have come through, it was not
    /// accepted.
    package var quiet: TimeInterval
    /// How often it is sent again then; after that it is given up.
    package var resends: Int

    /// Takes the values as they are; the program's defaults are 600 s, and sending again three times at most.
    package init(quiet: TimeInterval = 600, resends: Int = 3) {
      self.quiet = quiet
      self.resends = resends
    }
  }

  let messages: MessageStore
  let suspensions = SuspensionStore()
  let policy: InDoubtPolicy
  private let api: any MessageSender
  let now: @Sendable () -> Date

  /// - Parameter now: the clock by which ends are counted in the reports.
  package init(
    api: any MessageSender, messages: MessageStore, policy: InDoubtPolicy = InDoubtPolicy(),
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.api = api
    self.messages = messages
    self.policy = policy
    self.now = now
  }

  /// Sends the message and completes where it is accepted. Discards it where it is refused for good, overtaken, or out
  /// of time; puts it off where it must wait; fails, to be tried again, where WhatsApp is out of order.
  package func work(_ job: SendTemplate, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    let owner = UUID.version4()
    let step = try await context.withTransaction {
      try await SendDecision(worker: self, job: context.info.jobRun.id.uuid, deadline: context.deadline).step(
        job.message, owner: owner, in: $0)
    }
    switch step {
    case .done: return .completed
    case .gone(let reason): return .cancelled(reason: reason)
    case .wait(let pause, let reason): return .snoozed(for: pause, reason: reason)
    case .end(let message, let state, let reason):
      return try await end(message, as: state, from: [message.state], code: nil, reason: reason, context)
    case .send(let message, let content):
      Failpoint.afterIntent.visit()
      let answer = await api.send(
        TemplateMessage(
          from: message.phoneNumberID, to: .number(message.number), content: content,
          callback: message.id.uuidString.lowercased()))
      Failpoint.afterSend.visit()
      return try await settle(message, content, owner, answer, context)
    }
  }

  private func settle(
    _ message: OutgoingMessage, _ content: TemplateContent, _ owner: UUID, _ answer: SendResult,
    _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    switch answer {
    case .accepted(let wamid, let recipientID):
      return try await context.complete { transaction, followUps in
        if try await messages.markAccepted(message.id, wamid: wamid, in: transaction) {
          followUps.count(.messageAccepted, message.notification.rawValue, of: message.business, at: now())
        }
        if let recipientID, recipientID != message.recipientID {
          try await messages.storeRecipientID(
            recipientID, for: message.customerNumber, of: message.business, in: transaction)
        }
        try await suspensions.lift(
          message.suspensions(touching: content).map { ($0.scope, $0.key) }, in: transaction)
        return .completed
      }
    case .refused(let error): return try await refused(message, content, owner, error, context)
    case .notSent(let reason):
      try await context.withTransaction {
        try await messages.returnToPrepared(message.id, owner: owner, code: nil, in: $0)
      }
      throw WhatsAppUnreachable(reason: reason)
    case .inDoubt(let reason):
      context.logger.warning("a message is in doubt", metadata: ["reason": "\(reason)"])
      try await context.withTransaction { try await messages.markInDoubt(message.id, in: $0) }
      return .snoozed(for: SendDecision.inDoubtPollInterval, reason: "whether it was accepted is unknown")
    }
  }

  private func refused(
    _ message: OutgoingMessage, _ content: TemplateContent, _ owner: UUID, _ error: CloudError,
    _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    let repeats = message.code == error.code ? message.repeats : 0
    let reason = "WhatsApp refused it with code \(error.code)"
    func end() async throws -> JobOutcome {
      try await self.end(message, as: .refused, from: [.sending], code: error.code, reason: reason, context)
    }
    switch error.policy(repeats: repeats) {
    case .retry(let most):
      if let most, repeats >= most { return try await end() }
      try await context.withTransaction {
        try await messages.returnToPrepared(message.id, owner: owner, code: error.code, in: $0)
      }
      throw WhatsAppRefusal(code: error.code)
    case .retryAfter(let pause, let scope), .suspend(let scope, probeAfter: let pause):
      context.logger.error(
        "WhatsApp wants a pause",
        metadata: ["code": "\(error.code)", "scope": "\(scope.rawValue)", "pause": "\(pause)"])
      try await context.withTransaction { transaction in
        try await messages.returnToPrepared(message.id, owner: owner, code: error.code, in: transaction)
        if let key = message.key(of: scope, content) {
          let until = try await suspensions.now(in: transaction).addingTimeInterval(pause / .seconds(1))
          try await suspensions.put(Suspension(scope: scope, key: key, until: until, code: error.code), in: transaction)
        }
      }
      return .snoozed(for: SendDecision.delay(pause, message, message.readAt), reason: reason)
    case .undeliverable:
      guard !message.usesAlternateNumber, PhoneNumber.alternateNumber(of: message.number) != nil else {
        return try await end()
      }
      try await context.withTransaction {
        try await messages.returnToPrepared(message.id, owner: owner, code: error.code, alternateNumber: true, in: $0)
      }
      return .snoozed(for: .seconds(1), reason: "\(reason); the number's other form is tried")
    case .suppress, .permanent(needsAttention: false): return try await end()
    case .permanent(needsAttention: true):
      context.logger.error("a message was refused for good: somebody must look", metadata: ["code": "\(error.code)"])
      return try await end()
    }
  }

  private func end(
    _ message: OutgoingMessage, as state: MessageState, from states: [MessageState], code: Int?, reason: String,
    _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    try await context.complete { transaction, followUps in
      guard try await messages.finish(message.id, as: state, from: states, code: code, in: transaction) else {
        // Somebody else has moved it meanwhile: that decides.
        return .snoozed(for: SendDecision.inDoubtPollInterval, reason: "it was moved on meanwhile")
      }
      if state == .refused, message.recipientID != nil, code == 131_026 {
        try await messages.deleteRecipientID(of: message.customerNumber, of: message.business, in: transaction)
      }
      followUps.count(.messageNotSent, state.rawValue, of: message.business, at: now())
      return .cancelled(reason: reason)
    }
  }
}

/// WhatsApp could not be reached; nothing was sent.
struct WhatsAppUnreachable: JobError, CustomStringConvertible {
  let reason: String
  var isPermanent: Bool { false }
  var description: String { "WhatsApp could not be reached: \(reason)" }
}

/// WhatsApp refused a message in a way that may pass.
struct WhatsAppRefusal: JobError, CustomStringConvertible {
  let code: Int
  var isPermanent: Bool { false }
  var description: String { "WhatsApp refused the message with code \(code)" }
}
