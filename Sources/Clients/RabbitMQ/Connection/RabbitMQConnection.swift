internal import ClientLoop
internal import Synchronization

/// One connection to a RabbitMQ node, with a thread of its own.
///
/// It is not replaced when it is lost: ``RabbitMQPublisher`` and ``RabbitMQConsumer`` open a new one,
/// ``RabbitMQAdministration`` fails.
final class RabbitMQConnection: Sendable {
  private let loop: RabbitMQLoop

  private init(_ loop: RabbitMQLoop) { self.loop = loop }

  deinit { loop.abort() }

  /// The largest frame, in bytes, as negotiated.
  var frameMax: Int { loop.frameMax.withLock { $0 } }

  /// Connects to one node and logs in; `name` is what the broker shows for the connection.
  static func open(
    _ configuration: RabbitMQConfiguration, host: RabbitMQConfiguration.Host, name: String
  ) async throws -> RabbitMQConnection {
    let loop: RabbitMQLoop
    do { loop = try RabbitMQLoop(configuration, host: host, name: name) } catch {
      throw RabbitMQError.connectionFailed(server: host.label, reason: error.description)
    }
    loop.start()
    do { try await loop.opened.wait() } catch {
      loop.abort()
      throw error
    }
    return RabbitMQConnection(loop)
  }

  /// Connects to any of the nodes, tried once each in random order; throws the error of the last one.
  static func open(_ configuration: RabbitMQConfiguration, name: String) async throws -> RabbitMQConnection {
    var failure: any Error = RabbitMQError.connectionFailed(server: configuration.serverName, reason: "no host")
    for host in configuration.hosts.shuffled() {
      do { return try await open(configuration, host: host, name: name) } catch {
        if Task.isCancelled { throw error }
        failure = error
      }
    }
    throw failure
  }

  /// Opens a channel that reports to `delegate`.
  func openChannel(_ delegate: any ChannelDelegate = NoOpChannelDelegate()) async throws -> RabbitMQChannel {
    guard let number = loop.numbers.withLock({ $0.take() }) else {
      throw RabbitMQError.channelClosed(code: 0, reason: "every channel number of the connection is in use")
    }
    let channel = RabbitMQChannel(number: number, loop: loop, delegate: delegate)
    try loop.post { $0.opened.append(channel) }
    do { try await channel.call(.openChannel) } catch {
      channel.close()
      throw error
    }
    return channel
  }

  /// Calls one method on a channel of its own: a refusal closes that channel only.
  func callOnce(_ method: AMQPMethod) async throws -> AMQPReply {
    let channel = try await openChannel()
    do {
      let reply = try await channel.call(method)
      _ = try? await channel.call(.closeChannel)
      return reply
    } catch {
      channel.close()
      throw error
    }
  }

  /// Ready messages and consumers of a queue; nil where it does not exist.
  func queueDepth(_ queue: String) async throws -> (messages: Int, consumers: Int)? {
    do {
      let reply = try await callOnce(.declareQueue(name: queue, passive: true, arguments: [:]))
      guard case .queue(let messages, let consumers) = reply else { return nil }
      return (messages, consumers)
    } catch let error as RabbitMQError where error.code == RabbitMQError.notFound {
      return nil
    }
  }

  /// The same of several queues; those that do not exist are missing. A round trip for each, and more only after a
  /// queue that does not exist: the refusal closes the channel.
  func queueDepths(_ queues: [String]) async throws -> [String: (messages: Int, consumers: Int)] {
    var depths: [String: (messages: Int, consumers: Int)] = [:]
    var channel: RabbitMQChannel?
    defer { channel?.close() }
    for queue in queues {
      do {
        let open: RabbitMQChannel
        if let channel { open = channel } else { open = try await openChannel() }
        channel = open
        let reply = try await open.call(.declareQueue(name: queue, passive: true, arguments: [:]))
        if case .queue(let messages, let consumers) = reply { depths[queue] = (messages, consumers) }
      } catch let error as RabbitMQError where error.code == RabbitMQError.notFound {
        channel = nil
      }
    }
    return depths
  }

  /// The connection's events, for one reader; the last is its loss.
  var events: AsyncStream<ConnectionLifecycle.Event> { loop.events }

  /// Sends what is settled, then closes; returns when it is done, within about two seconds.
  func close() async {
    loop.stop()
    // In a task of its own, because the caller's is often cancelled already, and the last acknowledgements must still
    // be sent.
    _ = await Task { try? await loop.closed.wait() }.value
  }

  /// Breaks the connection where one write has lasted longer than `limit`.
  func abortIfWriting(longerThan limit: Duration) { loop.abortIfWriting(longerThan: limit) }

  /// Breaks the connection at once.
  func abort() { loop.abort() }
}
