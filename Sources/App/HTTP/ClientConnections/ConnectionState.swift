internal import NIOCore

/// The state machine of one client's connection: what is under way, what may be read, and what has taken too long.
///
/// It does no I/O and reads no clock; ``ClientConnection`` drives it. `Connections.md` shows it as a picture.
struct ConnectionState {
  enum Phase: String, CaseIterable {
    /// No byte of a request has arrived since the last answer.
    case idle
    /// A part of a request's head has arrived.
    case head
    /// The head has arrived, the body has not ended.
    case body
    /// The request is complete, or needs no more input; the answer has not ended.
    case answering
    /// The answer has ended; the client has not taken all of it.
    case flushing
    /// Our side is closed; what the client still sends is dropped.
    case closing
    case closed
  }

  /// What has taken too long.
  enum Expiry: Equatable { case idle, head, body, answer, unread, linger, drain }

  /// What is wrong with the input so far.
  enum Excess: Equatable { case head, framing }

  let limits: ConnectionLimits
  private(set) var phase = Phase.idle
  /// The connection ends with the answer under way.
  private(set) var closesAfterAnswer = false
  /// The bytes of the body that have arrived.
  private(set) var bodyBytes = 0

  private var since: NIODeadline
  private var headBytes = 0
  /// The body's length where the head announces it.
  private var announcedBytes: Int?
  /// Bytes on the wire since the head ended.
  private var wireBytes = 0
  private var paceSince: NIODeadline
  private var paceFrom = 0
  private var unsentBytes = 0
  private var lastTaken: NIODeadline
  private var lingeredBytes = 0
  private var drainEnds: NIODeadline?

  init(limits: ConnectionLimits, now: NIODeadline) {
    self.limits = limits
    since = now
    paceSince = now
    lastTaken = now
  }

  private mutating func enter(_ phase: Phase, _ now: NIODeadline) {
    self.phase = phase
    since = now
  }

  // MARK: Input

  /// Whether to read from the socket.
  var readsInput: Bool {
    switch phase {
    case .idle, .head, .body: true
    case .closing: lingeredBytes < limits.lingerBytes
    case .answering, .flushing, .closed: false
    }
  }

  /// How many bytes the HTTP decoder may be given now; nil: none. Small pieces: it decodes all that it is given, and
  /// requests behind the one under way would have to be kept decoded, which takes many times their bytes.
  var decodableBytes: Int? {
    switch phase {
    case .idle, .head: 1 << 10
    case .body: announcedBytes.map { max(1, $0 - bodyBytes) } ?? 4 << 10
    case .answering, .flushing, .closing, .closed: nil
    }
  }

  /// Bytes are about to be decoded, or dropped where our side is closed.
  ///
  /// - Parameter isBlank: they are ends of lines only, which some clients send after a body (RFC 9112, section 2.2).
  mutating func received(_ count: Int, isBlank: Bool = false, _ now: NIODeadline) -> Excess? {
    switch phase {
    case .idle where isBlank: break
    case .idle:
      enter(.head, now)
      headBytes = count
    case .head: headBytes += count
    case .body: wireBytes += count
    case .closing: lingeredBytes += count
    case .answering, .flushing, .closed: break
    }
    // A piece may hold a whole small request: the head ends in it or it is too large.
    return phase == .head && headBytes > limits.headBytes + 1 << 10 ? .head : nil
  }

  /// The head is complete.
  ///
  /// - Parameter announced: the body's length; nil: it comes in chunks.
  mutating func headEnded(announced: Int?, closes: Bool, _ now: NIODeadline) {
    enter(.body, now)
    announcedBytes = announced
    if closes { closesAfterAnswer = true }
    (headBytes, bodyBytes, wireBytes, paceFrom) = (0, 0, 0, 0)
    paceSince = now
  }

  mutating func bodyReceived(_ count: Int) -> Excess? {
    bodyBytes += count
    return announcedBytes == nil && wireBytes - bodyBytes > limits.framingBytes + bodyBytes / 2 ? .framing : nil
  }

  /// Nothing more of the request is needed.
  ///
  /// - Parameter isRefused: what is left of it is not read, and the connection ends with the answer.
  mutating func requestEnded(isRefused: Bool = false, _ now: NIODeadline) {
    if isRefused { closesAfterAnswer = true }
    enter(.answering, now)
  }

  /// The client will send nothing more.
  mutating func inputEnded() { closesAfterAnswer = true }

  // MARK: Output

  mutating func wrote(_ count: Int, _ now: NIODeadline) {
    if unsentBytes == 0 { lastTaken = now }
    unsentBytes += count
  }

  mutating func taken(_ count: Int, _ now: NIODeadline) {
    unsentBytes -= count
    lastTaken = now
  }

  mutating func answerEnded(_ now: NIODeadline) { if phase == .answering { enter(.flushing, now) } }

  var isAnswered: Bool { phase == .flushing && unsentBytes == 0 }

  /// The client has the whole answer: the connection waits for the next request, or closes.
  mutating func next(_ now: NIODeadline) { enter(closesAfterAnswer ? .closing : .idle, now) }

  mutating func closed(_ now: NIODeadline) { enter(.closed, now) }

  // MARK: Time

  /// The process stops: the request under way is the last one.
  mutating func drain(_ now: NIODeadline) {
    closesAfterAnswer = true
    drainEnds = drainEnds ?? now + limits.drain
  }

  /// What has taken too long by now. Called some times a second.
  mutating func expired(_ now: NIODeadline) -> Expiry? {
    guard phase != .closed else { return nil }
    if let drainEnds, now >= drainEnds { return .drain }
    if unsentBytes > 0, now >= lastTaken + limits.unread { return .unread }
    switch phase {
    case .idle: return now >= since + limits.idle ? .idle : nil
    case .head: return now >= since + limits.head ? .head : nil
    case .body: return isBodySlow(now) ? .body : nil
    case .answering: return now >= since + limits.answer ? .answer : nil
    case .flushing: return now >= since + limits.delivery ? .unread : nil
    case .closing: return now >= since + limits.linger ? .linger : nil
    case .closed: return nil
    }
  }

  private mutating func isBodySlow(_ now: NIODeadline) -> Bool {
    if now >= since + limits.body { return true }
    guard now >= paceSince + limits.pace else { return false }
    defer { (paceSince, paceFrom) = (now, bodyBytes) }
    return bodyBytes - paceFrom < limits.paceBytes
  }
}
