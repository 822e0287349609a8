internal import CRabbitMQ
internal import ClientLoop
internal import Foundation
internal import Glibc
internal import Synchronization

/// The thread that owns one librabbitmq connection: it polls the socket and its mailbox, writes what callers handed
/// over, and hands up what arrived. No other thread ever touches the connection; only `abort` reaches for its socket.
///
/// `@unchecked Sendable`: `mailbox`, `numbers`, `socket` and `writingSince` are locked; the rest is the thread's own.
final class RabbitMQLoop: @unchecked Sendable {
  /// What callers hand to the thread.
  struct Mailbox {
    var calls: [Call] = []
    var opened: [RabbitMQChannel] = []
    var settlements: [(channel: RabbitMQChannel, tag: UInt64, settlement: Settlement)] = []
    var wantsPublishing = false
    var isClosing = false
    /// Set when the thread has ended: nothing is taken any more.
    var end: RabbitMQError?
  }

  /// A method whose answer somebody waits for.
  struct Call {
    let channel: RabbitMQChannel
    let method: AMQPMethod
    let reply: Promise<AMQPReply>
    let deadline: ContinuousClock.Instant
  }

  /// A descriptor of the socket of our own, so that it cannot be closed, and its number used again, while somebody
  /// breaks it.
  private struct SocketHandle {
    var descriptor: Int32?
    var isAborted = false
  }

  /// What the thread knows of one channel.
  struct ChannelState {
    let channel: RabbitMQChannel
    var assembler = FrameAssembler()
    var unacked = UnackedDeliveries()
    var received: [RabbitMQDelivery] = []
    var calls: [Call] = []
  }

  let opened = Promise<Void>()
  let closed = Promise<RabbitMQError>()
  /// What befalls the connection once it is open, for one reader; the last is its loss.
  let (events, eventContinuation) = AsyncStream.makeStream(of: ConnectionLifecycle.Event.self)
  let numbers = Mutex(ChannelNumbers())
  let writingSince = Mutex<ContinuousClock.Instant?>(nil)
  private let configuration: RabbitMQConfiguration
  private let host: RabbitMQConfiguration.Host
  private let name: String
  private let wakeup: Wakeup
  private let mailbox = Mutex(Mailbox())
  private let socket = Mutex(SocketHandle())

  // The thread's own.
  private(set) var connection: amqp_connection_state_t?
  var channels: [UInt16: ChannelState] = [:]
  /// Numbers whose channel the broker closed while our own close was on its way: its answer to that is still to come.
  var crossedCloses: Set<UInt16> = []
  /// True once the broker has confirmed or delivered a message.
  var isHealthy = false

  init(_ configuration: RabbitMQConfiguration, host: RabbitMQConfiguration.Host, name: String) throws(ClientLoopError) {
    self.configuration = configuration
    self.host = host
    self.name = name
    wakeup = try Wakeup()
  }

  func start() {
    NamedThread.start(named: "rabbitmq \(name)") { self.run() }
  }

  /// Gives the thread something; throws where the connection has ended.
  func post(_ change: (inout Mailbox) -> Void) throws(RabbitMQError) {
    let (wakes, end) = mailbox.withLock { mailbox in
      let wasEmpty =
        mailbox.calls.isEmpty && mailbox.opened.isEmpty && mailbox.settlements.isEmpty && !mailbox.wantsPublishing
        && !mailbox.isClosing
      if mailbox.end == nil { change(&mailbox) }
      return (wasEmpty, mailbox.end)
    }
    if let end { throw end }
    if wakes { wakeup.wake() }
  }

  /// Breaks the connection under a thread that has been inside one write for longer than `limit`: in an alarm of the
  /// broker librabbitmq's write has no timeout.
  func abortIfWriting(longerThan limit: Duration) {
    guard let since = writingSince.withLock({ $0 }), since + limit < .now else { return }
    abort()
  }

  /// Breaks the connection at once; with TLS too, whose reads and writes then fail like any other.
  func abort() {
    socket.withLock { socket in
      socket.isAborted = true
      if let descriptor = socket.descriptor { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  // MARK: The thread

  private func run() {
    var end: RabbitMQError
    do throws(RabbitMQError) {
      let connection = try Handshake(configuration, host: host, name: name).connect()
      self.connection = connection
      // Somebody may have given up while the login was under way.
      let isAborted = socket.withLock { socket in
        socket.descriptor = dup(amqp_get_sockfd(connection))
        return socket.isAborted
      }
      if isAborted { throw RabbitMQError.connectionClosed(code: 0, reason: "given up by this program") }
      let channelMax = amqp_get_channel_max(connection)
      numbers.withLock { $0.channelMax = UInt16(clamping: channelMax) }
      opened.resolve()
      end = serve(connection)
    } catch { end = error }
    socket.withLock { socket in
      if let descriptor = socket.descriptor { Glibc.close(descriptor) }
      socket.descriptor = nil
    }
    if let connection { amqp_destroy_connection(connection) }
    connection = nil
    failAll(end)
  }

  private func failAll(_ end: RabbitMQError) {
    let left = mailbox.withLock { mailbox in
      mailbox.end = end
      defer { mailbox = Mailbox(end: end) }
      return mailbox
    }
    opened.resolve(.failure(end))
    for call in left.calls + channels.values.flatMap(\.calls) { call.reply.resolve(.failure(end)) }
    for channel in left.opened + channels.values.map(\.channel) {
      channel.end()
      channel.delegate.closed(end)
    }
    channels = [:]
    eventContinuation.yield(.lost(end))
    eventContinuation.finish()
    closed.resolve(.success(end))
  }

  private func serve(_ connection: amqp_connection_state_t) -> RabbitMQError {
    do throws(RabbitMQError) {
      while true {
        let mail = mailbox.withLock { mailbox in
          defer { mailbox = Mailbox() }
          return mailbox
        }
        for channel in mail.opened { channels[channel.number] = ChannelState(channel: channel) }
        // Numbers are used again: a delivery of a channel that is gone means nothing to its successor.
        for settled in mail.settlements where channels[settled.channel.number]?.channel === settled.channel {
          channels[settled.channel.number]?.unacked.settle(settled.tag, settled.settlement)
        }
        // Before the calls: one of them may close the channel.
        try flushSettlements(on: connection)
        for call in mail.calls { try send(call, on: connection) }
        try writeMessages(on: connection)
        let framesRead = try readFrames(of: connection)
        try flushSettlements(on: connection)
        deliverReceived()
        if mail.isClosing {
          closeGracefully(connection)
          return .connectionClosed(code: 200, reason: "closed by this program")
        }
        try checkCalls()
        // Frames may have opened the window for messages that wait: then look again at once.
        waitForWork(connection, isBusy: framesRead > 0)
      }
    } catch { return error }
  }

  private func waitForWork(_ connection: amqp_connection_state_t, isBusy: Bool) {
    guard amqp_data_in_buffer(connection) == 0, amqp_frames_enqueued(connection) == 0 else { return }
    var descriptors = [
      pollfd(fd: amqp_get_sockfd(connection), events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeup.fileDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    // One second: librabbitmq sends and checks heartbeats only when it is called.
    let timeout: Int32 = channels.values.contains { !$0.calls.isEmpty } ? 100 : 1000
    _ = poll(&descriptors, 2, isBusy ? 0 : timeout)
    if descriptors[1].revents != 0 { wakeup.drain() }
  }

  private func checkCalls() throws(RabbitMQError) {
    let now = ContinuousClock.now
    for state in channels.values {
      if let oldest = state.calls.first, oldest.deadline <= now { throw .deadlineExceeded }
    }
  }

  /// Throws where librabbitmq's status is not OK.
  func check(_ status: Int32) throws(RabbitMQError) {
    guard status == AMQP_STATUS_OK.rawValue else {
      throw .connectionClosed(code: 0, reason: AMQPStatus.text(status))
    }
  }
}
