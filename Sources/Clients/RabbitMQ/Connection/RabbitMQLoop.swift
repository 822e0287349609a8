internal import CRabbitMQ
internal import ClientLoop
internal import DequeModule
internal import Foundation
internal import Glibc
internal import Synchronization

/// The thread that owns one librabbitmq connection: it polls the socket and its mailbox, writes what callers posted,
/// and delivers what arrived. No other thread touches the connection; only `abort` shuts its socket down.
///
/// `@unchecked Sendable`: `loop`, `end`, `numbers`, `frameMax`, `socket` and `writingSince` are locked; the rest is
/// the thread's own.
final class RabbitMQLoop: @unchecked Sendable {
  /// The callers' requests that the thread has not handled yet.
  struct Mailbox: LoopMailbox {
    var calls: [Call] = []
    var opened: [RabbitMQChannel] = []
    var settlements: [(channel: RabbitMQChannel, tag: UInt64, settlement: Settlement)] = []
    var wantsPublishing = false

    var isEmpty: Bool { calls.isEmpty && opened.isEmpty && settlements.isEmpty && !wantsPublishing }
  }

  /// A method whose answer a caller waits for.
  struct Call {
    let channel: RabbitMQChannel
    let method: AMQPMethod
    let reply: Promise<AMQPReply>
    let deadline: ContinuousClock.Instant
  }

  /// A duplicate of the socket's descriptor, so that it cannot be closed, and its number used again, while `abort`
  /// shuts it down.
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
    /// Our close was sent: the broker answers anything else on this channel by closing the connection (504).
    var isClosing = false
  }

  let opened = Promise<Void>()
  let closed = Promise<RabbitMQError>()
  /// Events of the connection once it is open, for one reader; the last is its loss.
  let (events, eventContinuation) = AsyncStream.makeStream(of: ConnectionLifecycle.Event.self)
  let numbers = Mutex(ChannelNumbers())
  let frameMax = Mutex(RabbitMQConfiguration.frameMax)
  let writingSince = Mutex<ContinuousClock.Instant?>(nil)
  private let configuration: RabbitMQConfiguration
  private let host: RabbitMQConfiguration.Host
  private let name: String
  private let loop: MailboxLoop<Mailbox>
  /// Why the connection ended; set before the mailbox is closed.
  private let end = Mutex<RabbitMQError?>(nil)
  private let socket = Mutex(SocketHandle())

  // The thread's own.
  private(set) var connection: amqp_connection_state_t?
  var channels: [UInt16: ChannelState] = [:]
  /// Calls that were taken from the mailbox and are not written yet. They are answered also where a write fails.
  private var unsentCalls = Deque<Call>()
  /// Numbers whose channel the broker closed while our own close was on its way: its answer to that is still to come.
  var crossedCloses: Set<UInt16> = []
  /// True once the broker has confirmed or delivered a message.
  var isHealthy = false

  init(_ configuration: RabbitMQConfiguration, host: RabbitMQConfiguration.Host, name: String) throws(ClientLoopError) {
    self.configuration = configuration
    self.host = host
    self.name = name
    loop = try MailboxLoop(name: "rabbitmq \(name)")
  }

  func start() { loop.start { self.run() } }

  /// Sends what is settled, then closes the connection.
  func stop() { loop.stop() }

  /// Changes the thread's mailbox; throws where the connection has ended.
  func post(_ change: (inout Mailbox) -> Void) throws(RabbitMQError) {
    guard !loop.post(change) else { return }
    throw end.withLock { $0 } ?? .connectionClosed(code: 0, reason: "the connection has ended")
  }

  /// Breaks the connection where the thread has been inside one write for longer than `limit`: librabbitmq's write has
  /// no timeout, and in an alarm the broker stops reading.
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
      // `abort` may have been called while the login was under way.
      let isAborted = socket.withLock { socket in
        socket.descriptor = dup(amqp_get_sockfd(connection))
        return socket.isAborted
      }
      if isAborted { throw RabbitMQError.connectionClosed(code: 0, reason: "aborted by this client") }
      let channelMax = amqp_get_channel_max(connection)
      numbers.withLock { $0.channelMax = UInt16(clamping: channelMax) }
      frameMax.withLock { $0 = Int(amqp_get_frame_max(connection)) }
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

  /// Closes the mailbox and answers every call that is posted, unsent or unanswered.
  func failAll(_ end: RabbitMQError) {
    self.end.withLock { $0 = end }
    let left = loop.close()
    opened.resolve(.failure(end))
    for call in left.calls + unsentCalls + channels.values.flatMap(\.calls) { call.reply.resolve(.failure(end)) }
    unsentCalls = []
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
        let isStopRequested = try processMail(on: connection)
        try writeMessages(on: connection)
        let framesRead = try readFrames(of: connection)
        try flushSettlements(on: connection)
        deliverReceived()
        if isStopRequested {
          closeGracefully(connection)
          return .connectionClosed(code: 200, reason: "closed by this client")
        }
        try checkCalls()
        // Frames may have opened the window for queued messages: then write at once.
        waitForWork(connection, isBusy: framesRead > 0)
      }
    } catch { return error }
  }

  /// Takes the mail and writes its settlements and calls; true where a stop is requested.
  func processMail(on connection: amqp_connection_state_t) throws(RabbitMQError) -> Bool {
    let (mail, isStopRequested) = loop.take()
    unsentCalls += mail.calls
    for channel in mail.opened { channels[channel.number] = ChannelState(channel: channel) }
    // Numbers are used again: a delivery of a closed channel must not be settled on its successor.
    // Nor on a channel that is closing: the broker requeues what was not settled before.
    for settled in mail.settlements {
      let number = settled.channel.number
      guard let state = channels[number], state.channel === settled.channel, !state.isClosing else { continue }
      channels[number]?.unacked.settle(settled.tag, settled.settlement)
    }
    // Before the calls: one of them may close the channel.
    try flushSettlements(on: connection)
    while let call = unsentCalls.popFirst() { try send(call, on: connection) }
    return isStopRequested
  }

  private func waitForWork(_ connection: amqp_connection_state_t, isBusy: Bool) {
    guard amqp_data_in_buffer(connection) == 0, amqp_frames_enqueued(connection) == 0 else { return }
    // One second: librabbitmq sends and checks heartbeats only when it is called.
    let timeout: Duration = channels.values.contains { !$0.calls.isEmpty } ? .milliseconds(100) : .seconds(1)
    loop.poll(amqp_get_sockfd(connection), timeout: isBusy ? .zero : timeout)
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
