internal import Logging

/// Keeps one connection open, for publishing or for consuming: drives ``ConnectionLifecycle``, and logs.
struct ConnectionSupervisor: Sendable {
  /// Publishing and consuming never share a connection: in an alarm the broker stops reading from one that publishes,
  /// acknowledgements included.
  enum Purpose: String, Sendable {
    case publishing, consuming
  }

  let configuration: RabbitMQConfiguration
  let purpose: Purpose
  /// Shown by the broker for the connection.
  let name: String
  let logger: Logger

  /// Connects, and reconnects after every loss, until the task is cancelled; then the connection is closed gracefully.
  ///
  /// `attach` prepares a new connection for use; where it throws the connection is dropped. `detach` follows when a
  /// connection that was attached has ended.
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
          logger.debug("RabbitMQ connection opened", metadata: metadata)
        } catch {
          if Task.isCancelled { continue }
          lifecycle.handle(.failed(Self.wrapped(error, host)), at: .now, using: &random)
          // One of several hosts may be away: logged only when none of them could be used.
          if let failure = lifecycle.failure { logFailure(failure) }
        }
      case .open:
        let end = await watch(connection) { lifecycle.handle($0, at: .now, using: &random) }
        guard let end else { continue }
        connection = nil
        detach()
        logger.warning("RabbitMQ connection lost; reconnecting", metadata: metadata(end))
      case .closed:
        guard let connection else { return }
        await connection.close()
        detach()
        return
      }
    }
  }

  /// Reports the connection's events until its end, which is returned; nil where the task was cancelled before.
  private func watch(
    _ connection: RabbitMQConnection?, _ report: (ConnectionLifecycle.Event) -> Void
  ) async -> RabbitMQError? {
    if let connection {
      for await event in connection.events {
        report(event)
        switch event {
        case .blocked(true):
          logger.warning("RabbitMQ blocked the connection: memory or disk alarm", metadata: metadata)
        case .blocked(false): logger.notice("RabbitMQ unblocked the connection", metadata: metadata)
        case .lost(let end): return end
        default: break
        }
      }
    }
    if Task.isCancelled { return nil }
    // A connection's last event is its loss, so this is never reached; if it were, there must be no busy loop.
    let end = RabbitMQError.connectionClosed(code: 0, reason: "ended without a close reason")
    report(.lost(end))
    return end
  }

  private func logFailure(_ failure: RabbitMQError) {
    if failure.isRefusedLogin {
      logger.warning(
        "RabbitMQ refused the login; retrying until user, password and virtual host are right",
        metadata: metadata(failure))
    } else {
      logger.warning("cannot connect to RabbitMQ; retrying", metadata: metadata(failure))
    }
  }

  private var metadata: Logger.Metadata { ["purpose": "\(purpose.rawValue)"] }

  private func metadata(_ error: RabbitMQError) -> Logger.Metadata {
    metadata.merging(["error": "\(error)"]) { _, new in new }
  }

  private static func wrapped(_ error: any Error, _ host: RabbitMQConfiguration.Host) -> RabbitMQError {
    error as? RabbitMQError ?? .connectionFailed(server: host.label, reason: "\(error)")
  }
}
