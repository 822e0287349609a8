internal import Bookings
internal import Foundation
internal import Messaging
internal import Postgres
internal import WhatsApp

/// Decides what to do with a message, and begins sending it if it is to be sent, in the one transaction before the
/// call.
struct SendDecision {
  enum Step: Sendable {
    /// Only this attempt may send it now.
    case send(SendAttempt)
    case alreadyAccepted
    /// It has ended otherwise, or does not exist.
    case alreadyEnded(reason: String)
    case snooze(Duration, reason: String)
    /// End it in this state.
    case end(OutgoingMessage, MessageState, reason: String)
  }

  let messages: MessageStore
  let suspensions: SuspensionStore
  let bookings = BookingStore()
  let policy: SendTemplateWorker.InDoubtPolicy
  let job: UUID
  /// Distinguishes this attempt from all others.
  let attempt: UUID
  let unsent: UnsentAttempts
  /// The end of the attempt.
  let deadline: ContinuousClock.Instant
  let clock: @Sendable () -> ContinuousClock.Instant

  /// A call takes 15 s at most: a sender that has stored nothing after this time has died, slept, or lost the database.
  private static let sendingTimeout: TimeInterval = 20
  /// A call that starts within this time after the message was marked is over before others take it for in doubt.
  private static let startWindow = Duration.seconds(sendingTimeout) - SendTemplate.callTime
  static let inDoubtPollInterval = Duration.seconds(5)
  private static let maximumDelay = Duration.seconds(900)
  /// How long one message may probe whether a suspension has ended, in seconds.
  private static let probeSeconds = 5

  func step(_ id: UUID, in transaction: PostgresTransaction) async throws -> Step {
    guard let message = try await messages.find(id, in: transaction) else {
      return .alreadyEnded(reason: "there is no such message")
    }
    switch message.state {
    case .accepted: return .alreadyAccepted
    case .refused, .superseded, .expired, .unknown:
      return .alreadyEnded(reason: "the message was \(message.state.rawValue) before")
    case .sending, .inDoubt:
      // The commit of this attempt's mark was in doubt and has succeeded, or another attempt of this process has given
      // up before the call: the message is known to be unsent.
      if let owner = message.attempt, owner == attempt || unsent.contains(owner),
        try await messages.takeBack(id, from: owner, in: transaction)
      {
        var message = message
        message.state = .prepared
        return try await beginSending(message, in: transaction)
      }
      if message.state == .inDoubt { return try await resolveInDoubt(message, in: transaction) }
      let age = message.sendingAt.map { message.readAt.timeIntervalSince($0) } ?? .infinity
      if age > Self.sendingTimeout { try await messages.markInDoubt(id, in: transaction) }
      return .snooze(Self.inDoubtPollInterval, reason: "another attempt is sending it, or its process died")
    case .prepared: return try await beginSending(message, in: transaction)
    }
  }

  /// Whether the call may still be made. A process that slept since the message was marked must not: others may have
  /// sent it by now.
  func mayCall(_ start: SendAttempt) -> Bool {
    let now = clock()
    return now < start.startedAt + Self.startWindow && now + SendTemplate.callTime < deadline
  }

  private func beginSending(_ message: OutgoingMessage, in transaction: PostgresTransaction) async throws -> Step {
    let now = message.readAt
    if message.expiresAt <= now { return .end(message, .expired, reason: "expired before it could be sent") }
    let subject = message.subject
    let details = try await bookings.notificationDetails(
      booking: message.booking, service: subject.service,
      professionals: [subject.professional] + subject.alternatives.map(\.professional), in: transaction)
    guard let details else { return .alreadyEnded(reason: "its booking or business does not exist") }
    if Self.isSuperseded(message, details) {
      return .end(message, .superseded, reason: "superseded: the booking has changed")
    }
    let values = NotificationKind.TemplateValues(subject, details)
    let content = message.notification.content(values, booking: message.booking)
    for suspension in message.suspensions(applyingTo: content) {
      if suspension.until <= now,
        try await suspensions.probe(suspension, for: Self.probeSeconds, in: transaction)
      {
        continue
      }
      let remaining = Duration.seconds(max(1, min(suspension.until.timeIntervalSince(now), 1e6)))
      return .snooze(
        Self.delay(suspension.until <= now ? .seconds(Self.probeSeconds) : remaining, message),
        reason: "the \(suspension.scope.rawValue) is suspended, code \(suspension.code)")
    }
    let startedAt = clock()
    guard startedAt + SendTemplate.callTime < deadline else {
      return .snooze(.seconds(1), reason: "too little time left before the deadline")
    }
    let customerNumber = PhoneNumber.digits(e164: details.customer.phone)
    let start = try await messages.beginSending(
      message.id, attempt: attempt, job: job, customerNumber: customerNumber, in: transaction)
    guard let start else { return .snooze(.seconds(1), reason: "another attempt is sending it") }
    return .send(
      SendAttempt(
        id: attempt, startedAt: startedAt, message: message, content: content, customerNumber: customerNumber,
        recipientID: start.recipientID))
  }

  /// A status report would show that it was accepted. If none comes in a quiet time, it was not accepted, provided that
  /// webhooks of later events came during that time: after an outage the provider's old webhooks come late.
  private func resolveInDoubt(_ message: OutgoingMessage, in transaction: PostgresTransaction) async throws -> Step {
    let now = message.readAt
    let age = message.sendingAt.map { now.timeIntervalSince($0) } ?? .infinity
    let isExpired = message.expiresAt <= now
    let webhooksAge = message.webhooksSince.map { now.timeIntervalSince($0) } ?? 0
    if isExpired || min(age, webhooksAge) > policy.quiet {
      if message.resends < policy.resends, !isExpired {
        _ = try await messages.prepareResend(message.id, in: transaction)
        return .snooze(.seconds(1), reason: "it was not accepted, by all reports since; it is sent again")
      }
      return .end(message, .unknown, reason: "whether it was accepted is unknown, and it is not sent again")
    }
    return .snooze(age > 60 ? .seconds(30) : Self.inDoubtPollInterval, reason: "whether it was accepted is unknown")
  }

  /// True: the booking has changed, so the notification would be wrong. A rejection or a cancellation is never wrong.
  private static func isSuperseded(_ message: OutgoingMessage, _ details: NotificationDetails) -> Bool {
    let hasMoved = abs(details.startsAt.timeIntervalSince(message.subject.startsAt)) >= 1
    return switch message.notification {
    case .confirmed, .rescheduled: details.status == .cancelled || hasMoved
    case .notRescheduled: details.status == .cancelled
    case .rejected, .cancelled: false
    }
  }

  /// A delay that ends before the message expires, with jitter, so that waiting messages do not all come back at once.
  static func delay(_ requested: Duration, _ message: OutgoingMessage) -> Duration {
    let remaining = Duration.seconds(max(1, message.expiresAt.timeIntervalSince(message.readAt)))
    let delay = max(.seconds(1), min(requested, maximumDelay, remaining))
    return delay + delay * Double.random(in: 0...0.3)
  }
}

extension NotificationKind.TemplateValues {
  fileprivate init(_ subject: NewMessage.Subject, _ details: NotificationDetails) {
    self.init(
      customer: details.customer.name, business: details.businessName, service: details.serviceName,
      professional: details.professionalNames[subject.professional], startsAt: subject.startsAt,
      alternatives: subject.alternatives.map { slot in
        .init(
          startsAt: slot.startsAt,
          professional: slot.professional == subject.professional ? nil : details.professionalNames[slot.professional])
      }, timeZone: details.timeZone)
  }
}
