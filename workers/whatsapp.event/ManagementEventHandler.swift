internal import Foundation
internal import Messaging
internal import Postgres
internal import WhatsApp

/// Suspends and resumes sending by the provider's events. Suspensions also end by a probe, so a lost event only delays
/// messages.
struct ManagementEventHandler {
  let inbound: InboundStore
  let suspensions: SuspensionStore

  /// After this time a message probes, whatever the event says; in seconds.
  private static let probeAfter: TimeInterval = 900

  func handle(_ events: [InboundStore.ReceivedUpdate<ProviderEvent>], in transaction: PostgresTransaction) async throws
  {
    var preferences: [(number: String, preference: ProviderEvent.Preference, at: Date)] = []
    var states: [State] = []
    for event in events {
      let at = event.update.at ?? event.receivedAt
      let account = event.update.origin.account ?? event.update.origin.phoneNumberID ?? ""
      switch event.update.effect {
      case .none: continue
      case .template(let name, let language, let state):
        states.append(State(account: account, template: (name, language), state: state, until: nil, at: at))
      case .accountRestricted(let until):
        states.append(State(account: account, template: nil, state: .paused, until: until, at: at))
      case .accountBanned(let isBanned):
        states.append(
          State(account: account, template: nil, state: isBanned ? .disabled : .approved, until: nil, at: at))
      case .marketing(let choices):
        guard let number = event.update.origin.phoneNumberID else { continue }
        preferences += choices.map { (number, $0, $0.at ?? at) }
      }
    }
    // In a fixed order, so that two batches do not deadlock.
    for state in states.sorted(by: { ($0.key, $0.at) < ($1.key, $1.at) }) { try await apply(state, in: transaction) }
    try await inbound.put(preferences, in: transaction)
  }

  /// The state of a template or of a whole account according to an event.
  private struct State {
    let account: String
    /// Nil: the account.
    let template: (name: String, language: String)?
    let state: ProviderEvent.TemplateState
    let until: Date?
    let at: Date

    var scope: ErrorPolicy.Scope { template == nil ? .account : .template }
    var key: String {
      template.map { SuspensionStore.key(template: $0.name, language: $0.language, account: account) } ?? account
    }
  }

  private func apply(_ state: State, in transaction: PostgresTransaction) async throws {
    // An account is stored as a template without a name: its events may come in any order too.
    let isNewer = try await inbound.put(
      template: state.template?.name ?? "", language: state.template?.language ?? "", account: state.account,
      state: state.state, at: state.at, in: transaction)
    guard isNewer else { return }
    if state.state == .approved { return try await suspensions.lift([(state.scope, state.key)], in: transaction) }
    let now = try await suspensions.now(in: transaction)
    let until = min(state.until ?? .distantFuture, now.addingTimeInterval(Self.probeAfter))
    guard until > now else { return }
    try await suspensions.put(Suspension(scope: state.scope, key: state.key, until: until, code: 0), in: transaction)
  }
}
