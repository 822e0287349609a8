internal import CHiredis
internal import ClientLoop
internal import DequeModule
internal import Foundation
internal import Glibc
internal import Logging

/// The thread that owns the hiredis connection: it connects, sends queued commands, reads replies, and reconnects when
/// the connection breaks.
///
/// `@unchecked Sendable`: the immutable values are Sendable, and all else is the thread's own.
final class RedisLoop: @unchecked Sendable {
  private struct Mailbox: LoopMailbox {
    var requests: [RedisRequest] = []
    var isEmpty: Bool { requests.isEmpty }
  }

  let timeout: Duration
  let firstConnection = Promise<Void>()
  private let configuration: RedisConfiguration
  private let logger: Logger
  /// Open while there is a connection.
  private let mailboxLoop: MailboxLoop<Mailbox>

  // The thread's own.
  private var context: UnsafeMutablePointer<redisContext>?
  private var inFlight = Deque<RedisRequest>()
  private var backoff = Backoff(max: .seconds(2))
  private var isFailureLogged = false
  private var refusals = RedisRefusals()
  private var connectedAt = ContinuousClock.now
  /// The arguments of the commands in flight, in bytes.
  private var inFlightBytes = 0

  /// At most this many commands wait for a reply, and this many bytes; more are refused as unavailable.
  private static let inFlightMax = 10_000
  private static let inFlightBytesMax = 16 << 20
  /// A reply of more bytes is none that was asked for.
  private static let replyBytesMax = 64 << 20
  /// How long a connection to a server that has become a replica is kept: after a failover its name may lead to
  /// another.
  private static let readOnlyTime = Duration.seconds(10)

  init(_ configuration: RedisConfiguration, timeout: Duration, logger: Logger) throws {
    self.configuration = configuration
    self.timeout = timeout
    self.logger = logger
    mailboxLoop = try MailboxLoop(name: "redis", isOpen: false)
  }

  var isConnected: Bool { mailboxLoop.isOpen }

  func start() { mailboxLoop.start { self.run() } }

  func stop() { mailboxLoop.stop() }

  func submit(_ request: RedisRequest) {
    if !mailboxLoop.post({ $0.requests.append(request) }) { request.finish(.failure(RedisError.unavailable)) }
  }

  private func run() {
    // hiredis 0.14 writes with write(2): without this a closed connection would end the process.
    var brokenPipe = sigset_t()
    sigemptyset(&brokenPipe)
    sigaddset(&brokenPipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
    while !mailboxLoop.isStopRequested {
      if connect() {
        backoff.reset()
        isFailureLogged = false
        connectedAt = .now
        mailboxLoop.open()
        firstConnection.resolve()
        RedisMetrics.connected(true)
        disconnect(serve())
        RedisMetrics.connected(false)
      }
      if !mailboxLoop.isStopRequested { mailboxLoop.sleep(for: backoff.next()) }
    }
  }

  /// Connects and logs in, blocking this thread for two seconds at most per step.
  private func connect() -> Bool {
    let blockingTimeout = timeval(tv_sec: 2, tv_usec: 0)
    guard let fresh = openSocket(within: blockingTimeout) else { return false }
    redisSetTimeout(fresh, blockingTimeout)
    var handshake: [[String]] = []
    if let password = configuration.password {
      handshake.append(["AUTH"] + (configuration.user.map { [$0] } ?? []) + [password])
    }
    handshake.append(["SELECT", "\(configuration.database)"])
    for command in handshake {
      let reply = blockingCommand(command, on: fresh)
      guard case .success(.status) = reply else {
        report(failure(of: command[0], reply))
        redisFree(fresh)
        return false
      }
    }
    _ = fcntl(fresh.pointee.fd, F_SETFL, fcntl(fresh.pointee.fd, F_GETFL) | O_NONBLOCK)
    fresh.pointee.flags &= ~1  // REDIS_BLOCK: from here on the loop polls before it reads or writes
    context = fresh
    return true
  }

  /// Tries the host's addresses one after the other; nil: none of them answers.
  private func openSocket(within timeout: timeval) -> UnsafeMutablePointer<redisContext>? {
    let addresses: [String]
    do throws(HostResolver.Failure) {
      addresses = try HostResolver.system.addresses(
        of: configuration.host, until: .now + .seconds(2), isCancelled: { mailboxLoop.isStopRequested })
    } catch {
      report(.connectionFailed(server: configuration.serverName, reason: error.description))
      return nil
    }
    var failure = RedisError.client("out of memory for a connection")
    for address in addresses where !mailboxLoop.isStopRequested {
      guard let fresh = redisConnectWithTimeout(address, Int32(configuration.port), timeout) else { continue }
      if fresh.pointee.err == 0 { return fresh }
      failure = .connectionFailed(server: configuration.serverName, reason: Self.errorText(of: fresh))
      redisFree(fresh)
    }
    report(failure)
    return nil
  }

  /// The error of a handshake with this reply. A server that still loads its data, or has no connection left, refuses
  /// no login.
  private func failure(of command: String, _ reply: Result<RedisReply, RedisError>) -> RedisError {
    let server = configuration.serverName
    return switch reply {
    case .failure(.refused(let code)) where !["LOADING", "MAXCLIENTS", "MASTERDOWN", "BUSY"].contains(code):
      .loginRefused(server: server, reason: "\(command) failed: \(code)")
    case .failure(let error): .connectionFailed(server: server, reason: "\(command): \(error)")
    case .success: .connectionFailed(server: server, reason: "\(command): unexpected reply type")
    }
  }

  private func report(_ error: RedisError) {
    firstConnection.resolve(.failure(error))
    if !isFailureLogged {
      logger.warning("Redis cannot be used; working without it, and trying again", metadata: ["error": "\(error)"])
    }
    isFailureLogged = true
  }

  /// The error that hiredis has recorded.
  private static func error(of context: UnsafeMutablePointer<redisContext>) -> RedisError {
    switch context.pointee.err {
    case REDIS_ERR_PROTOCOL: .protocolError(errorText(of: context))
    case REDIS_ERR_OOM, REDIS_ERR_OTHER: .client(errorText(of: context))
    default: .connectionLost
    }
  }

  private static func errorText(of context: UnsafeMutablePointer<redisContext>) -> String {
    withUnsafeBytes(of: context.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private func blockingCommand(
    _ command: [String], on context: UnsafeMutablePointer<redisContext>
  ) -> Result<RedisReply, RedisError> {
    append(command.map { Array($0.utf8) }, to: context)
    var reply: UnsafeMutableRawPointer?
    guard redisGetReply(context, &reply) == REDIS_OK, let reply else {
      return .failure(Self.error(of: context))
    }
    defer { freeReplyObject(reply) }
    return Self.decodeReply(reply.assumingMemoryBound(to: redisReply.self))
  }

  /// Sends and receives until the connection breaks or the client stops; returns the error of the commands in flight.
  private func serve() -> RedisError {
    while let context {
      let (mail, isStopRequested) = mailboxLoop.take()
      for request in mail.requests {
        guard !isStopRequested, inFlight.count < Self.inFlightMax, inFlightBytes < Self.inFlightBytesMax else {
          request.finish(.failure(RedisError.unavailable))
          continue
        }
        inFlightBytes += request.size
        append(request.arguments, to: context)
        inFlight.append(request)
      }
      if isStopRequested { break }
      var isWritten: Int32 = 0
      guard redisBufferWrite(context, &isWritten) == REDIS_OK else { return Self.error(of: context) }
      expire()
      // A server that owes replies for twice the timeout has stopped replying: reconnect.
      if let oldest = inFlight.first, oldest.deadline + timeout < .now { return .deadlineExceeded }
      let events = isWritten == 0 ? POLLIN | POLLOUT : POLLIN
      let pollTimeout: Duration? = inFlight.isEmpty ? nil : .milliseconds(50)
      guard mailboxLoop.poll(context.pointee.fd, for: events, timeout: pollTimeout).isReadable else { continue }
      guard redisBufferRead(context) == REDIS_OK else { return Self.error(of: context) }
      if let reader = context.pointee.reader, reader.pointee.len > Self.replyBytesMax {
        return .protocolError("a reply of more than \(Self.replyBytesMax) bytes")
      }
      if let error = readReplies(context) { return error }
    }
    return .connectionLost
  }

  /// Finishes the commands whose replies are there; returns what makes the connection unusable.
  private func readReplies(_ context: UnsafeMutablePointer<redisContext>) -> RedisError? {
    while true {
      var reply: UnsafeMutableRawPointer?
      guard redisGetReplyFromReader(context, &reply) == REDIS_OK else { return Self.error(of: context) }
      guard let reply else { return nil }
      defer { freeReplyObject(reply) }
      guard let request = inFlight.popFirst() else { return .protocolError("a reply to no command") }
      inFlightBytes -= request.size
      let decoded = Self.decodeReply(reply.assumingMemoryBound(to: redisReply.self))
      request.finish(decoded.mapError { $0 as any Error })
      if let error = note(decoded, of: request) { return error }
    }
  }

  /// Counts and logs what the server refuses because of its own state; an error where the connection is given up for
  /// it.
  private func note(_ reply: Result<RedisReply, RedisError>, of request: RedisRequest) -> RedisError? {
    guard case .failure(.refused(let code)) = reply else {
      if refusals.isActive, refusals.taken(request.name) { logger.notice("Redis takes all commands again") }
      return nil
    }
    guard RedisRefusals.serverCodes.contains(code) else { return nil }
    RedisMetrics.refused(code: code)
    if refusals.refused(request.name, code: code) {
      logger.warning(
        "Redis refuses commands because of its own state; working without them",
        metadata: ["code": "\(code)", "command": "\(request.name)"])
    }
    return code == "READONLY" && connectedAt + Self.readOnlyTime < .now ? .connectionLost : nil
  }

  /// Fails the commands whose deadline has passed; their entries stay, for their replies still come.
  private func expire() {
    let now = ContinuousClock.now
    for request in inFlight {
      guard request.deadline <= now else { return }
      request.finish(.failure(RedisError.deadlineExceeded))
    }
  }

  private func disconnect(_ error: RedisError) {
    let unsent = mailboxLoop.close().requests
    if let context { redisFree(context) }
    context = nil
    for request in inFlight { request.finish(.failure(error)) }
    inFlight = []
    inFlightBytes = 0
    for request in unsent { request.finish(.failure(RedisError.unavailable)) }
  }

  private func append(_ arguments: [[UInt8]], to context: UnsafeMutablePointer<redisContext>) {
    var arena: [UInt8] = []
    var offsets: [Int] = []
    for argument in arguments {
      offsets.append(arena.count)
      arena += argument
      arena.append(0)
    }
    arena.withUnsafeBytes { bytes in
      let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
      var pointers = offsets.map { base?.advanced(by: $0) }
      let lengths = arguments.map(\.count)
      redisAppendCommandArgv(context, Int32(arguments.count), &pointers, lengths)
    }
  }

  private static func decodeReply(_ reply: UnsafeMutablePointer<redisReply>) -> Result<RedisReply, RedisError> {
    let decoded = decode(reply)
    guard case .error(let text) = decoded else { return .success(decoded) }
    if text.hasPrefix("ERR max number of clients") { return .failure(.refused("MAXCLIENTS")) }
    return .failure(.refused(String(text.prefix { $0 != " " })))
  }

  private static func decode(_ reply: UnsafeMutablePointer<redisReply>) -> RedisReply {
    let value = reply.pointee
    func bytes() -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: value.str, count: value.len) }
    switch value.type {
    case REDIS_REPLY_STRING: return .string(Array(bytes()))
    case REDIS_REPLY_STATUS: return .status(String(decoding: bytes(), as: UTF8.self))
    case REDIS_REPLY_ERROR: return .error(String(decoding: bytes(), as: UTF8.self))
    case REDIS_REPLY_INTEGER: return .integer(Int(value.integer))
    case REDIS_REPLY_ARRAY:
      return .array((0..<value.elements).compactMap { value.element[$0].map { decode($0) } })
    default: return .null
    }
  }
}
