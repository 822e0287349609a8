internal import Logging

/// Keeps one connection standing, for publishing or for consuming, for as long as the task lives that runs it: does
/// what ``ConnectionLifecycle`` says, and reports to it and to the log.
struct ConnectionSupervisor: Sendable {
  /// What the connection is for; the two are never the same one, because in an alarm the broker stops reading from a
  /// connection that publishes, acknowledgements included.
  enum Purpose: String, Sendable {
    case publishing, consuming

    var verb: String { self == .publishing ? "publish" : "consume" }
  }

  let configuration: RabbitMQConfiguration
  let purpose: Purpose
  /// What the broker shows for the connection.
  let name: String
  let logger: Logger

  /// Connects, again and again, until the task is cancelled; then the connection is closed politely.
  ///
  /// `attach` takes a fresh connection into use; where it throws the connection is given up. `detach` follows when that
  /// connection has ended.
  func run(attach: (RabbitMQConnection) async throws -> Void, detach: () -> Void) async {
    var random = SystemRandomNumberGenerator()
    var lifecycle = ConnectionLifecycle(hosts: configuration.hosts, now: .now)
    var connection: RabbitMQConnection?
    while true {
      if Task.isCancelled { lifecycle.handle(.stopped, at: .now, using: &random) }
      switch lifecycle.state {
      case .waiting(let end):
        try? await Task.sleep(until: end, clock: .continuous)
        lifecycle.handle(.timerFired, at: .now, using: &random)
      case .connecting(let host):
        do {
          let fresh = try await RabbitMQConnection.open(configuration, host: host, name: name)
          try await attach(fresh)
          connection = fresh
          lifecycle.handle(.opened, at: .now, using: &random)
          logger.debug("\(purpose.rawValue) connection is open")
        } catch {
          if Task.isCancelled { continue }
          lifecycle.handle(.failed(Self.wrapped(error, host)), at: .now, using: &random)
          // Of several hosts one may be away: that is news only when none of them would do.
          if let failure = lifecycle.failure { logFailure(failure) }
        }
      case .open:
        let end = await watch(connection) { lifecycle.handle($0, at: .now, using: &random) }
        guard let end else { continue }
        connection = nil
        detach()
        logger.warning("\(purpose.rawValue) connection was lost; connecting again", metadata: ["error": "\(end)"])
      case .closed:
        guard let connection else { return }
        await connection.close()
        detach()
        return
      }
    }
  }

  /// Passes on what the connection tells, until its end, which is returned; nil where the task was cancelled before.
  private func watch(
    _ connection: RabbitMQConnection?, _ report: (ConnectionLifecycle.Event) -> Void
  ) async -> RabbitMQError? {
    if let connection {
      for await event in connection.events {
        report(event)
        switch event {
        case .blocked(true): logger.warning("the broker takes no messages for now: it is short of memory or disk")
        case .blocked(false): logger.notice("the broker takes messages again")
        case .lost(let end): return end
        default: break
        }
      }
    }
    if Task.isCancelled { return nil }
    // A connection's last word is its end, so this is never reached; if it were, there must be no busy loop.
    let end = RabbitMQError.connectionClosed(code: 0, reason: "it ended without a word")
    report(.lost(end))
    return end
  }

  private func logFailure(_ failure: RabbitMQError) {
    var text = "cannot \(purpose.verb); trying again"
    if failure.isRefusedLogin { text += " every few seconds, until user, password and virtual host are right" }
    logger.warning("\(text)", metadata: ["error": "\(failure)"])
  }

  private static func wrapped(_ error: any Error, _ host: RabbitMQConfiguration.Host) -> RabbitMQError {
    error as? RabbitMQError ?? .connectionFailed(server: host.label, reason: "\(error)")
  }
}
