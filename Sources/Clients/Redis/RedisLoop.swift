internal import CHiredis
internal import ClientLoop
internal import DequeModule
internal import Foundation
internal import Glibc
internal import Logging
internal import Synchronization

/// The thread that owns the hiredis connection: it connects, sends what waits, reads replies, and starts over when it
/// breaks.
///
/// `@unchecked Sendable`: everything but `mailbox` and the immutable values is touched by that thread
/// alone.
final class RedisLoop: @unchecked Sendable {
  let timeout: Duration
  let firstConnection = Promise<Void>()
  private let configuration: RedisConfiguration
  private let logger: Logger
  private let wakeup: Wakeup
  private let mailbox = Mutex(Mailbox())

  private struct Mailbox {
    var requests: [RedisRequest] = []
    var isConnected = false
    var stopped = false
  }

  // The thread's own.
  private var context: UnsafeMutablePointer<redisContext>?
  private var inFlight = Deque<RedisRequest>()
  private var backoff = Backoff(max: .seconds(2))
  private var reportedDown = false

  /// At most this many commands wait for a reply; more are refused as unavailable.
  private static let inFlightMax = 10_000

  init(_ configuration: RedisConfiguration, timeout: Duration, logger: Logger) throws {
    self.configuration = configuration
    self.timeout = timeout
    self.logger = logger
    wakeup = try Wakeup()
  }

  var isConnected: Bool { mailbox.withLock { $0.isConnected } }

  func start() {
    NamedThread.start(named: "redis") { self.run() }
  }

  func stop() {
    mailbox.withLock { $0.stopped = true }
    wakeup.wake()
  }

  func submit(_ request: RedisRequest) {
    let wakes: Bool? = mailbox.withLock { mailbox in
      guard mailbox.isConnected else { return nil }
      mailbox.requests.append(request)
      return mailbox.requests.count == 1
    }
    guard let wakes else { return request.finish(.failure(RedisError.unavailable)) }
    if wakes { wakeup.wake() }
  }

  private func run() {
    // hiredis 0.14 writes with write(2): a peer that is gone must be an error, not the end of the process.
    var brokenPipe = sigset_t()
    sigemptyset(&brokenPipe)
    sigaddset(&brokenPipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &brokenPipe, nil)
    while !mailbox.withLock({ $0.stopped }) {
      if connect() {
        backoff.reset()
        reportedDown = false
        mailbox.withLock { $0.isConnected = true }
        firstConnection.resolve()
        let failure = serve()
        mailbox.withLock { $0.isConnected = false }
        disconnect(failure)
      }
      if !mailbox.withLock({ $0.stopped }) {
        wakeup.wait(milliseconds: Int32(backoff.next() / .milliseconds(1)))
      }
    }
    disconnect(.unavailable)
  }

  /// Connects and logs in, blocking this thread for two seconds at most per step.
  private func connect() -> Bool {
    let blockingTimeout = timeval(tv_sec: 2, tv_usec: 0)
    guard let fresh = redisConnectWithTimeout(configuration.host, Int32(configuration.port), blockingTimeout) else {
      return false
    }
    guard fresh.pointee.err == 0 else {
      let reason = withUnsafeBytes(of: fresh.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      report(.connectionFailed(server: configuration.serverName, reason: reason))
      redisFree(fresh)
      return false
    }
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
    fresh.pointee.flags &= ~1  // REDIS_BLOCK: from here on, polling decides when to read and write
    context = fresh
    return true
  }

  /// What a handshake that got this answer means. A server that still reads its data says LOADING: it will be there soon.
  private func failure(of command: String, _ reply: Result<RedisReply, RedisError>) -> RedisError {
    let server = configuration.serverName
    return switch reply {
    case .failure(.refused(let code)) where code != "LOADING":
      .loginRefused(server: server, reason: "\(command) was answered with \(code)")
    case .failure(let error): .connectionFailed(server: server, reason: "\(command): \(error)")
    case .success: .connectionFailed(server: server, reason: "\(command) had an answer that is not Redis'")
    }
  }

  private func report(_ failure: RedisError) {
    firstConnection.resolve(.failure(failure))
    if !reportedDown { logger.warning("Redis is away; trying again", metadata: ["error": "\(failure)"]) }
    reportedDown = true
  }

  private func blockingCommand(
    _ command: [String], on context: UnsafeMutablePointer<redisContext>
  ) -> Result<RedisReply, RedisError> {
    append(command.map { Array($0.utf8) }, to: context)
    var reply: UnsafeMutableRawPointer?
    guard redisGetReply(context, &reply) == REDIS_OK, let reply else { return .failure(.connectionLost) }
    defer { freeReplyObject(reply) }
    return Self.decodeReply(reply.assumingMemoryBound(to: redisReply.self))
  }

  /// Sends and receives until the connection breaks or the client stops.
  private func serve() -> RedisError {
    while let context {
      let (requests, stopped) = mailbox.withLock { mailbox in
        defer { mailbox.requests = [] }
        return (mailbox.requests, mailbox.stopped)
      }
      if stopped { return .unavailable }
      for request in requests {
        guard inFlight.count < Self.inFlightMax else {
          request.finish(.failure(RedisError.unavailable))
          continue
        }
        append(request.arguments, to: context)
        inFlight.append(request)
      }
      var isWritten: Int32 = 0
      guard redisBufferWrite(context, &isWritten) == REDIS_OK else { return .connectionLost }
      expire()
      // A server that owes replies for twice the timeout has stopped answering: start over.
      if let oldest = inFlight.first, oldest.deadline + timeout < .now { return .deadlineExceeded }
      guard poll(context, wantsToWrite: isWritten == 0) else { continue }
      guard redisBufferRead(context) == REDIS_OK, readReplies(context) else { return .connectionLost }
    }
    return .connectionLost
  }

  /// Waits for the socket, the mailbox or the next deadline; true when the socket can be read.
  private func poll(_ context: UnsafeMutablePointer<redisContext>, wantsToWrite: Bool) -> Bool {
    var descriptors = [
      pollfd(fd: context.pointee.fd, events: Int16(wantsToWrite ? POLLIN | POLLOUT : POLLIN), revents: 0),
      pollfd(fd: wakeup.fileDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    let blockingTimeout: Int32 = inFlight.isEmpty ? -1 : 50
    _ = Glibc.poll(&descriptors, 2, blockingTimeout)
    if descriptors[1].revents != 0 { wakeup.drain() }
    return Int32(descriptors[0].revents) & (POLLIN | POLLHUP | POLLERR) != 0
  }

  private func readReplies(_ context: UnsafeMutablePointer<redisContext>) -> Bool {
    while true {
      var reply: UnsafeMutableRawPointer?
      guard redisGetReplyFromReader(context, &reply) == REDIS_OK else { return false }
      guard let reply else { return true }
      defer { freeReplyObject(reply) }
      guard let request = inFlight.popFirst() else { return false }
      let decoded = Self.decodeReply(reply.assumingMemoryBound(to: redisReply.self))
      request.finish(decoded.mapError { $0 as any Error })
    }
  }

  /// Tells callers whose time is up; their places in line stay, for their replies still come.
  private func expire() {
    let now = ContinuousClock.now
    for request in inFlight {
      guard request.deadline <= now else { return }
      request.finish(.failure(RedisError.deadlineExceeded))
    }
  }

  private func disconnect(_ failure: RedisError) {
    if let context { redisFree(context) }
    context = nil
    for request in inFlight { request.finish(.failure(failure == .unavailable ? .connectionLost : failure)) }
    inFlight = []
    let unsent = mailbox.withLock { mailbox in
      defer { mailbox.requests = [] }
      return mailbox.requests
    }
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
