internal import Synchronization
internal import Wires

/// One connection to a RabbitMQ node, with a thread of its own.
///
/// Use ``RabbitMQPublisher`` and ``RabbitMQConsumer`` for the traffic: they rebuild their connections. This is what
/// they build on, and what ``RabbitMQAdministration`` uses.
final class RabbitMQConnection: Sendable {
  private let wire: RabbitMQWire
  private let lastChannel = Mutex<UInt16>(0)

  private init(_ wire: RabbitMQWire) { self.wire = wire }

  deinit { wire.abort() }

  /// Connects and logs in; `name` is what the broker shows for the connection.
  static func open(_ configuration: RabbitMQConfiguration, name: String) async throws -> RabbitMQConnection {
    let wire: RabbitMQWire
    do { wire = try RabbitMQWire(configuration, name: name) } catch {
      throw RabbitMQError.connectionFailed(server: configuration.serverName, reason: error.description)
    }
    wire.start()
    do { try await wire.opened.wait() } catch {
      wire.abort()
      throw error
    }
    return RabbitMQConnection(wire)
  }

  /// Opens a channel that reports to `sink`.
  func openChannel(_ sink: any RabbitMQChannelSink = SilentSink()) async throws -> RabbitMQChannel {
    // Numbers are not used again while the connection lives; channel_max is 2,047 by default.
    let number = lastChannel.withLock { last in
      last = last % 2_000 + 1
      return last
    }
    let channel = RabbitMQChannel(number: number, wire: wire, sink: sink)
    try wire.post { $0.opened.append(channel) }
    try await channel.call(.openChannel)
    return channel
  }

  /// Waits until the connection has ended and says why; throws only when the waiting task is cancelled.
  func waitUntilClosed() async throws -> RabbitMQError { try await wire.closed.wait() }

  /// Sends what is settled, then closes; returns when it is done, within about two seconds.
  func close() async {
    try? wire.post { $0.isClosing = true }
    // In a task of its own, because the caller's is often cancelled already, and the last acknowledgements must still
    // go out.
    _ = await Task { try? await wire.closed.wait() }.value
  }

  /// Breaks the connection where one write has lasted longer than `limit`.
  func abortIfWriting(longerThan limit: Duration) { wire.abortIfWriting(longerThan: limit) }

  /// Breaks the connection at once.
  func abort() { wire.abort() }
}
