internal import CRabbitMQ
internal import Foundation
internal import Glibc
internal import Synchronization
internal import Wires

/// The thread that owns one librabbitmq connection: it polls the socket and its mailbox, writes what callers handed
/// over, and hands up what arrived. No other thread ever touches the connection; only `abort` reaches for its socket.
///
/// `@unchecked Sendable`: `mailbox`, `socket` and `writingSince` are locked or atomic; the rest is the thread's own.
final class RabbitMQWire: @unchecked Sendable {
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
    let channel: UInt16
    let method: AMQPMethod
    let reply: OneShot<AMQPReply>
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
    var ledger = DeliveryLedger()
    var received: [RabbitMQDelivery] = []
    var calls: [Call] = []
  }

  let opened = OneShot<Void>()
  let closed = OneShot<RabbitMQError>()
  private let configuration: RabbitMQConfiguration
  private let name: String
  private let waker: Waker
  private let mailbox = Mutex(Mailbox())
  private let socket = Mutex(SocketHandle())
  private let writingSince = Mutex<ContinuousClock.Instant?>(nil)

  // The thread's own.
  private(set) var connection: amqp_connection_state_t?
  var channels: [UInt16: ChannelState] = [:]

  init(_ configuration: RabbitMQConfiguration, name: String) throws(WireError) {
    self.configuration = configuration
    self.name = name
    waker = try Waker()
  }

  func start() {
    OwnerThread.start(named: "rabbitmq \(name)") { self.run() }
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
    if wakes { waker.wake() }
  }

  /// Breaks the connection under a thread that has been inside one write for longer than `limit`: in an alarm of the
  /// broker librabbitmq's write has no timeout.
  func abortIfWriting(longerThan limit: Duration) {
    guard let since = writingSince.withLock({ $0 }), since + limit < .now else { return }
    abort()
  }

  /// Breaks the connection at once.
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
      let connection = try ConnectionLogin(configuration, name: name).connect()
      self.connection = connection
      // Somebody may have given up while the login was under way.
      let isAborted = socket.withLock { socket in
        socket.descriptor = dup(amqp_get_sockfd(connection))
        return socket.isAborted
      }
      if isAborted { throw RabbitMQError.connectionClosed(code: 0, reason: "given up by this program") }
      opened.resolve()
      end = serve(connection)
    } catch { end = error }
    socket.withLock { socket in
      if let descriptor = socket.descriptor { Glibc.close(descriptor) }
      socket.descriptor = nil
    }
    if let connection { amqp_destroy_connection(connection) }
    connection = nil
    tellEverybody(end)
  }

  private func tellEverybody(_ end: RabbitMQError) {
    let left = mailbox.withLock { mailbox in
      mailbox.end = end
      defer { mailbox = Mailbox(end: end) }
      return mailbox
    }
    opened.resolve(.failure(end))
    for call in left.calls + channels.values.flatMap(\.calls) { call.reply.resolve(.failure(end)) }
    for channel in left.opened + channels.values.map(\.channel) { channel.sink.closed(end) }
    channels = [:]
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
          channels[settled.channel.number]?.ledger.settle(settled.tag, settled.settlement)
        }
        // Before the calls: one of them may close the channel.
        try flushSettlements()
        for call in mail.calls { try send(call) }
        try writeMessages()
        let framesRead = try readFrames()
        try flushSettlements()
        handUp()
        if mail.isClosing {
          closePolitely()
          return .connectionClosed(code: 200, reason: "closed by this program")
        }
        try checkCalls()
        // Frames may have opened the window for messages that wait: then look again at once.
        waitForWork(isBusy: framesRead > 0)
      }
    } catch { return error }
  }

  private func waitForWork(isBusy: Bool) {
    guard let connection, amqp_data_in_buffer(connection) == 0, amqp_frames_enqueued(connection) == 0 else { return }
    var descriptors = [
      pollfd(fd: amqp_get_sockfd(connection), events: Int16(POLLIN), revents: 0),
      pollfd(fd: waker.fileDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    // One second: librabbitmq sends and checks heartbeats only when it is called.
    let patience: Int32 = channels.values.contains { !$0.calls.isEmpty } ? 100 : 1000
    _ = poll(&descriptors, 2, isBusy ? 0 : patience)
    if descriptors[1].revents != 0 { waker.drain() }
  }

  private func send(_ call: Call) throws(RabbitMQError) {
    guard let connection, channels[call.channel] != nil else {
      call.reply.resolve(.failure(RabbitMQError.channelClosed(code: 0, reason: "the channel was closed before")))
      return
    }
    channels[call.channel]?.calls.append(call)
    try check(call.method.send(connection, channel: call.channel))
  }

  private func checkCalls() throws(RabbitMQError) {
    let now = ContinuousClock.now
    for state in channels.values {
      if let oldest = state.calls.first, oldest.deadline <= now { throw .deadlineExceeded }
    }
  }

  private func writeMessages() throws(RabbitMQError) {
    guard let connection else { return }
    for (number, state) in channels {
      var written = 0
      while let message = state.channel.sink.nextMessage() {
        writingSince.withLock { $0 = .now }
        let status = message.publish(connection, channel: number)
        writingSince.withLock { $0 = nil }
        try check(status)
        written += 1
        // Look for `connection.blocked`, and for confirms that open the window, while writing.
        if written.isMultiple(of: 32) { try readFrames() }
      }
    }
  }

  @discardableResult
  private func readFrames() throws(RabbitMQError) -> Int {
    guard let connection else { return 0 }
    var frame = amqp_frame_t()
    var immediately = timeval()
    var count = 0
    while true {
      let status = amqp_simple_wait_frame_noblock(connection, &frame, &immediately)
      if status == AMQP_STATUS_TIMEOUT.rawValue { break }
      try check(status)
      try handle(frame)
      count += 1
      // Everything was copied out, so the library's memory can go; not at every frame, for it costs.
      if count.isMultiple(of: 64) { amqp_maybe_release_buffers(connection) }
    }
    amqp_maybe_release_buffers(connection)
    return count
  }

  private func flushSettlements() throws(RabbitMQError) {
    guard let connection else { return }
    for number in channels.keys {
      for frame in channels[number]?.ledger.flush() ?? [] {
        switch frame {
        case .acknowledge(let tag, let multiple): try check(amqp_basic_ack(connection, number, tag, multiple ? 1 : 0))
        // reject, not nack: RabbitMQ 4.3 counts only rejected deliveries against the delivery limit.
        case .requeue(let tag): try check(amqp_basic_reject(connection, number, tag, 1))
        }
      }
    }
  }

  private func handUp() {
    for number in channels.keys {
      guard let state = channels[number], !state.received.isEmpty else { continue }
      channels[number]?.received = []
      state.channel.sink.received(state.received)
    }
  }

  private func closePolitely() {
    guard let connection else { return }
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    amqp_set_rpc_timeout(connection, &patience)
    _ = amqp_connection_close(connection, AMQP_REPLY_SUCCESS)
  }

  /// Throws where librabbitmq's status is not OK.
  func check(_ status: Int32) throws(RabbitMQError) {
    guard status == AMQP_STATUS_OK.rawValue else {
      throw .connectionClosed(code: 0, reason: String(cString: amqp_error_string2(status)))
    }
  }
}
