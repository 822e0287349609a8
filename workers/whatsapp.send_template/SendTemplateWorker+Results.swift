internal import Foundation
internal import Jobs
internal import Logging
internal import Messaging
internal import Postgres
internal import Reports
internal import WhatsApp

extension SendTemplateWorker {
  func handleResult(
    _ result: SendResult, _ attempt: SendAttempt, _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    let message = attempt.message
    switch result {
    case .accepted(let wamid, let recipientID):
      return try await context.complete { transaction, followUps in
        if try await messages.markAccepted(message.id, wamid: wamid, in: transaction) {
          followUps.count(.messageAccepted, message.notification.rawValue, of: message.business, at: now())
        }
        if let recipientID, recipientID != attempt.recipientID {
          try await messages.storeRecipientID(
            recipientID, for: attempt.customerNumber, of: message.business, in: transaction)
        }
        try await suspensions.lift(
          message.suspensions(applyingTo: attempt.content).map { ($0.scope, $0.key) }, in: transaction)
        return .completed
      }
    case .refused(let error): return try await handleRefusal(error, attempt, context)
    case .notSent(let reason):
      try await context.withTransaction {
        try await messages.returnToPrepared(message.id, attempt: attempt.id, code: nil, in: $0)
      }
      throw WhatsAppUnreachable(reason: reason)
    case .inDoubt(let reason):
      context.logger.warning(
        "message in doubt: unknown whether WhatsApp accepted it", metadata: ["reason": "\(reason)"])
      try await context.withTransaction { try await messages.markInDoubt(message.id, attempt: attempt.id, in: $0) }
      return .snoozed(for: SendDecision.inDoubtPollInterval, reason: "whether it was accepted is unknown")
    }
  }

  private func handleRefusal(
    _ error: CloudError, _ attempt: SendAttempt, _ context: JobContext<PostgresTransaction>
  ) async throws -> JobOutcome {
    let message = attempt.message
    let repeats = message.code == error.code ? message.repeats : 0
    let reason = "WhatsApp refused it with code \(error.code)"
    func end() async throws -> JobOutcome {
      try await self.end(
        message, as: .refused, from: [.sending], reason: reason, refused: (attempt, error.code), context)
    }
    switch error.policy(repeats: repeats) {
    case .retry(let most):
      if let most, repeats >= most { return try await end() }
      try await context.withTransaction {
        try await messages.returnToPrepared(message.id, attempt: attempt.id, code: error.code, in: $0)
      }
      throw WhatsAppRefusal(code: error.code)
    case .retryAfter(let delay, let scope), .suspend(let scope, probeAfter: let delay):
      context.logger.error(
        "sending suspended",
        metadata: ["code": "\(error.code)", "scope": "\(scope.rawValue)", "delay": "\(delay)"])
      try await suspend(scope, for: delay, error, attempt, context)
      return .snoozed(for: SendDecision.delay(delay, message), reason: reason)
    case .undeliverable:
      guard !message.usesAlternateNumber, PhoneNumber.alternateNumber(of: attempt.number) != nil else {
        return try await end()
      }
      try await context.withTransaction {
        try await messages.returnToPrepared(
          message.id, attempt: attempt.id, code: error.code, alternateNumber: true, in: $0)
      }
      return .snoozed(for: .seconds(1), reason: "\(reason); trying the alternate number")
    case .suppress, .permanent(needsAttention: false): return try await end()
    case .permanent(needsAttention: true):
      context.logger.error(
        "message refused permanently, needs attention", metadata: ["code": "\(error.code)"])
      return try await end()
    }
  }

  private func suspend(
    _ scope: ErrorPolicy.Scope, for delay: Duration, _ error: CloudError, _ attempt: SendAttempt,
    _ context: JobContext<PostgresTransaction>
  ) async throws {
    try await context.withTransaction { transaction in
      try await messages.returnToPrepared(attempt.message.id, attempt: attempt.id, code: error.code, in: transaction)
      guard let key = attempt.message.key(of: scope, attempt.content) else { return }
      let until = try await suspensions.now(in: transaction).addingTimeInterval(delay / .seconds(1))
      try await suspensions.put(Suspension(scope: scope, key: key, until: until, code: error.code), in: transaction)
    }
  }
}

/// WhatsApp could not be reached; nothing was sent.
struct WhatsAppUnreachable: JobError, CustomStringConvertible {
  let reason: String
  var isPermanent: Bool { false }
  var description: String { "WhatsApp could not be reached: \(reason)" }
}

/// WhatsApp refused a message temporarily.
struct WhatsAppRefusal: JobError, CustomStringConvertible {
  let code: Int
  var isPermanent: Bool { false }
  var description: String { "WhatsApp refused the message with code \(code)" }
}
