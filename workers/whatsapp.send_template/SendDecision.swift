internal import Foundation
internal import Messaging
internal import Postgres
internal import WhatsApp

/// Decides what to do with a message, and takes it into hand where it is to be sent: all in the one transaction before
/// the call.
struct SendDecision {
  /// What is to be done.
  enum Step: Sendable {
    /// Send it; it is this process' now.
    case send(OutgoingMessage, TemplateContent)
    /// It was accepted before.
    case done
    /// It has another end already, or does not exist.
    case gone(reason: String)
    /// Not yet.
    case wait(Duration, reason: String)
    /// It is to have this end.
    case end(OutgoingMessage, MessageState, reason: String)
  }

  let worker: SendTemplateWorker
  /// The job whose attempt this is.
  let job: UUID
  /// When the attempt is given up.
  let deadline: ContinuousClock.Instant

  /// A call is over after 15 s: a sender that has stored nothing by then is gone, or cannot tell.
  private static let sendingTimeout: TimeInterval = 20
  /// How often a message in doubt is looked at.
  static let inDoubtPollInterval = Duration.seconds(5)
  /// The longest a message waits between two looks.
  private static let maximumDelay = Duration.seconds(900)
  /// How long one message has for trying whether a suspension is over, in seconds.
  private static let probeSeconds = 5

  func step(_ id: UUID, owner: UUID, in transaction: PostgresTransaction) async throws -> Step {
    guard let message = try await worker.messages.find(id, in: transaction) else {
      return .gone(reason: "there is no such message")
    }
    switch message.state {
    case .accepted: return .done
    case .refused, .superseded, .expired, .unknown:
      return .gone(reason: "the message was \(message.state.rawValue) before")
    case .sending:
      let age = message.sendingAt.map { message.readAt.timeIntervalSince($0) } ?? .infinity
      if age > Self.sendingTimeout { try await worker.messages.markInDoubt(id, in: transaction) }
      return .wait(Self.inDoubtPollInterval, reason: "another process is sending it, or was")
    case .inDoubt: return try await resolveInDoubt(message, in: transaction)
    case .prepared: return try await prepared(message, owner, in: transaction)
    }
  }

  private func prepared(_ message: OutgoingMessage, _ owner: UUID, in transaction: PostgresTransaction) async throws
    -> Step
  {
    let now = message.readAt
    if message.expiresAt <= now { return .end(message, .expired, reason: "its time was over before it could be sent") }
    if message.isSuperseded { return .end(message, .superseded, reason: "what it tells is not so any more") }
    let content = message.notification.content(message.templateValues, booking: message.booking)
    for suspension in message.suspensions(touching: content) {
      if suspension.until <= now,
        try await worker.suspensions.probe(suspension, for: Self.probeSeconds, in: transaction)
      {
        continue
      }
      let wait = Duration.seconds(max(1, min(suspension.until.timeIntervalSince(now), 1e6)))
      return .wait(
        Self.delay(suspension.until <= now ? .seconds(Self.probeSeconds) : wait, message, now),
        reason: "the \(suspension.scope.rawValue) is paused by code \(suspension.code)")
    }
    guard .now + SendTemplate.callTime < deadline else {
      return .wait(.seconds(1), reason: "too little of the attempt's time is left for a call")
    }
    guard try await worker.messages.beginSending(message.id, owner: owner, job: job, in: transaction) else {
      return .wait(.seconds(1), reason: "another process was quicker")
    }
    return .send(message, content)
  }

  /// Nobody knows whether it was accepted. A report would tell. Where none came in a quiet time, it was not, provided
  /// that webhooks of later events have been coming for as long: after an outage the provider's old ones come late.
  private func resolveInDoubt(_ message: OutgoingMessage, in transaction: PostgresTransaction) async throws -> Step {
    let now = message.readAt
    let age = message.sendingAt.map { now.timeIntervalSince($0) } ?? .infinity
    let isOver = message.expiresAt <= now
    let heard = message.webhooksSince.map { now.timeIntervalSince($0) } ?? 0
    if isOver || min(age, heard) > worker.policy.quiet {
      if message.resends < worker.policy.resends, !isOver {
        _ = try await worker.messages.prepareResend(message.id, in: transaction)
        return .wait(.seconds(1), reason: "it was not accepted, by all that was reported since; it is sent again")
      }
      return .end(message, .unknown, reason: "whether it was accepted is unknown, and it is not sent again")
    }
    return .wait(age > 60 ? .seconds(30) : Self.inDoubtPollInterval, reason: "whether it was accepted is unknown")
  }

  /// A suspension as long as is sensible: not past the message's end, and never for ever. Drawn, so that what waits together
  /// does not come back together.
  static func delay(_ requested: Duration, _ message: OutgoingMessage, _ now: Date) -> Duration {
    let left = Duration.seconds(max(1, message.expiresAt.timeIntervalSince(now)))
    let delay = max(.seconds(1), min(requested, maximumDelay, left))
    return delay + delay * Double.random(in: 0...0.3)
  }
}

extension OutgoingMessage {
  /// The number to send to: the id that WhatsApp has for it, or its other form where that is being tried.
  var number: String {
    let known = recipientID ?? customerNumber
    return usesAlternateNumber ? PhoneNumber.alternateNumber(of: known) ?? known : known
  }

  /// The key of a scope for this message; nil for scopes that are not paused as a whole.
  func key(of scope: ErrorPolicy.Scope, _ content: TemplateContent) -> String? {
    switch scope {
    case .message, .pair: nil
    case .number: phoneNumberID
    case .account: account
    case .template: SuspensionStore.key(template: content.name, language: content.language, account: account)
    }
  }

  /// The suspensions that this message is subject to.
  func suspensions(touching content: TemplateContent) -> [Suspension] {
    suspensions.filter { $0.key == key(of: $0.scope, content) }
  }
}
