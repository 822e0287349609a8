internal import DequeModule

/// The messages between the caller of `publish` and the broker's confirm: a state machine without I/O.
///
/// Messages are queued in order; those written get the channel's next delivery tag. When a connection is lost, what was
/// in flight returns to the head of the queue and is written again on the next connection, until its deadline.
struct ConfirmTracker {
  struct Entry {
    let position: BatchPosition
    let message: RabbitMQMessage
    let deadline: ContinuousClock.Instant
    /// See ``RabbitMQMessage/size``.
    let size: Int
    var wasWritten = false

    init(position: BatchPosition, message: RabbitMQMessage, deadline: ContinuousClock.Instant) {
      self.position = position
      self.message = message
      self.deadline = deadline
      size = message.size
    }
  }

  /// Nacks are counted for each destination: one may be unavailable and the others well.
  struct Destination: Hashable {
    let exchange: String
    let routingKey: String
  }

  /// A message's index in its caller's batch.
  struct BatchPosition: Equatable {
    let batch: Int
    let index: Int
  }

  struct Resolution: Equatable {
    let position: BatchPosition
    let result: PublishResult
  }

  private struct InFlightMessage {
    let tag: UInt64
    /// nil: resolved; it stays in the array until the tags before it are resolved.
    var entry: Entry?
    var isReturned = false
    /// The caller has the result `lost` already; the message still occupies the window.
    var isExpired = false
    func isOverdue(_ now: ContinuousClock.Instant, by timeout: Duration) -> Bool {
      isExpired && entry.map { $0.deadline + timeout <= now } ?? false
    }
  }

  private var waiting = Deque<Entry>()
  private var inFlight = Deque<InFlightMessage>()
  private var nextTag: UInt64 = 1
  private(set) var inFlightBytes = 0
  private(set) var waitingBytes = 0
  /// While positive, this many messages at the head of the queue are written one at a time: one of them makes the
  /// broker close the channel.
  private var candidateCount = 0
  private var refusedExchanges = RefusedExchanges()
  /// The largest frame of the connection, in bytes.
  private var frameMax = RabbitMQConfiguration.frameMax

  /// True between the broker's `connection.blocked` and `unblocked`: nothing is written.
  var isBlocked = false

  /// A window of this many unconfirmed messages reaches the broker's full rate (500 did in a measurement of the raw
  /// client).
  static let inFlightMax = 1_000
  /// librabbitmq's write blocks for ever once socket buffers are full in an alarm; below this many bytes they are not.
  /// One message may be larger when it is alone.
  static let inFlightBytesMax = 1 << 20
  /// Callers that add messages while more than this many wait, or more bytes, are refused: the broker does not keep up.
  static let waitingMax = 20_000
  /// More than the bodies of all requests that the HTTP server admits at a time, so that it refuses first.
  static let waitingBytesMax = 128 << 20

  /// Messages that are queued or in flight.
  var count: Int { waiting.count + inFlight.count { $0.entry != nil } }

  /// Messages that are not written yet, or are to be written again.
  var waitingCount: Int { waiting.count }

  /// Messages that are written and not confirmed.
  var inFlightCount: Int { inFlight.count }

  /// True where the broker does not keep up; what was added before stays.
  var isFull: Bool { waiting.count >= Self.waitingMax || waitingBytes >= Self.waitingBytesMax }

  /// Queues a message; returns its end where it has one already: nothing is written that would make the broker close
  /// the channel.
  @discardableResult
  mutating func add(_ entry: Entry) -> Resolution? {
    guard entry.message.isPublishable(frameMax: frameMax) else {
      return Resolution(position: entry.position, result: .refused)
    }
    guard !refusedExchanges.contains(entry.message.exchange) else {
      return Resolution(position: entry.position, result: .nacked)
    }
    waiting.append(entry)
    waitingBytes += entry.size
    return nil
  }

  /// A connection is open that carries frames of this size; messages that do not fit are resolved.
  mutating func connected(frameMax: Int) -> [Resolution] {
    self.frameMax = frameMax
    return removeWaiting { $0.message.isPublishable(frameMax: frameMax) ? nil : .refused }
  }

  /// Missing exchanges to look for now.
  mutating func exchangesToLookFor(_ now: ContinuousClock.Instant) -> [String] { refusedExchanges.due(now) }

  /// Messages to the exchange are written again.
  mutating func found(exchange: String) { refusedExchanges.found(exchange) }

  /// Removes the waiting messages that `result` gives an end.
  private mutating func removeWaiting(_ result: (Entry) -> PublishResult?) -> [Resolution] {
    let resolutions = waiting.compactMap { entry in
      result(entry).map { Resolution(position: entry.position, result: $0) }
    }
    guard !resolutions.isEmpty else { return [] }
    waiting.removeAll { result($0) != nil }
    waitingBytes = waiting.reduce(0) { $0 + $1.size }
    return resolutions
  }

  /// The next message to write, with its tag; nil where the window is full, publishing is blocked, or the queue is
  /// empty.
  mutating func next() -> RabbitMQMessage? {
    let window = candidateCount > 0 ? 1 : Self.inFlightMax
    guard !isBlocked, var entry = waiting.first, inFlight.count < window else { return nil }
    guard inFlightBytes == 0 || inFlightBytes + entry.size <= Self.inFlightBytesMax else { return nil }
    waiting.removeFirst()
    waitingBytes -= entry.size
    entry.wasWritten = true
    inFlight.append(InFlightMessage(tag: nextTag, entry: entry))
    inFlightBytes += entry.size
    nextTag += 1
    return entry.message
  }

  /// True where the oldest message is unconfirmed for `timeout` after its deadline. The broker does not confirm while
  /// the queue has no leader, and the messages behind fill the window; on a new connection those for other queues
  /// continue.
  func isStuck(_ now: ContinuousClock.Instant, timeout: Duration) -> Bool {
    !isBlocked && inFlight.first?.isOverdue(now, by: timeout) ?? false
  }

  /// The destinations of one tag, or of all up to it.
  func destinations(_ tag: UInt64, multiple: Bool) -> Set<Destination> {
    var destinations = Set<Destination>()
    for flight in inFlight {
      guard flight.tag <= tag else { break }
      guard multiple || flight.tag == tag, let message = flight.entry?.message else { continue }
      destinations.insert(Destination(exchange: message.exchange, routingKey: message.routingKey))
    }
    return destinations
  }

  /// The broker's ack (`positive`) or nack of one tag, or of all up to it.
  mutating func confirmed(_ tag: UInt64, multiple: Bool, positive: Bool) -> [Resolution] {
    var resolutions: [Resolution] = []
    if multiple {
      for index in inFlight.indices {
        guard inFlight[index].tag <= tag else { break }
        resolve(index, positive, into: &resolutions)
      }
    } else if let first = inFlight.first, tag >= first.tag, tag - first.tag < UInt64(inFlight.count) {
      resolve(Int(tag - first.tag), positive, into: &resolutions)  // tags in flight are consecutive
    }
    while let first = inFlight.first, first.entry == nil { inFlight.removeFirst() }
    return resolutions
  }

  private mutating func resolve(_ index: Int, _ positive: Bool, into resolutions: inout [Resolution]) {
    guard let entry = inFlight[index].entry else { return }
    let result: PublishResult = inFlight[index].isReturned ? .returned : positive ? .confirmed : .nacked
    inFlight[index].entry = nil
    inFlightBytes -= entry.size
    candidateCount = max(0, candidateCount - 1)
    if !inFlight[index].isExpired { resolutions.append(Resolution(position: entry.position, result: result)) }
  }

  /// The broker returned a message; its ack follows. The same message may be in flight twice: the oldest one that is
  /// not returned yet is meant.
  mutating func returned(_ content: FrameAssembler.Content) {
    guard case .returned(let exchange, let routingKey) = content.announcement else { return }
    let index = inFlight.firstIndex { flight in
      guard !flight.isReturned, let message = flight.entry?.message else { return false }
      return message.properties.messageID == content.properties.messageID && message.exchange == exchange
        && message.routingKey == routingKey
    }
    if let index { inFlight[index].isReturned = true }
  }

  /// Queues what was in flight again, in order, before all else.
  mutating func connectionLost() {
    let unconfirmed = inFlight.filter { !$0.isExpired }.compactMap(\.entry)
    waiting.prepend(contentsOf: unconfirmed)
    waitingBytes += unconfirmed.reduce(0) { $0 + $1.size }
    inFlight = []
    inFlightBytes = 0
    nextTag = 1
    isBlocked = false
  }

  /// The broker closed the channel, or the connection, because of one message.
  ///
  /// Where its text names the exchange, messages to that one are resolved and not written until it may be tried again.
  /// Else the message is unknown: one that was alone in flight is resolved; of several, each is written alone next
  /// time, until all of them are resolved.
  mutating func channelClosed(code: Int, reason: String, at now: ContinuousClock.Instant) -> [Resolution] {
    let candidates = inFlight.filter { $0.entry != nil }
    let exchanges = Set(candidates.compactMap { $0.entry?.message.exchange })
    if let exchange = refusedExchanges.channelClosed(code: code, reason: reason, candidates: exchanges, at: now) {
      connectionLost()
      let written = waiting.count { $0.wasWritten && $0.message.exchange == exchange }
      // A single one was refused. Of several, the first may have been kept before the exchange was deleted.
      return removeWaiting { entry in
        entry.message.exchange == exchange ? (entry.wasWritten && written > 1 ? .lost : .nacked) : nil
      }
    }
    if candidates.count == 1, let entry = candidates[0].entry {
      // The usual cause of 406 is a limit of the broker's below ours (max_message_size).
      let result: PublishResult = code == RabbitMQError.preconditionFailed ? .refused : .nacked
      let resolutions = candidates[0].isExpired ? [] : [Resolution(position: entry.position, result: result)]
      inFlight = []
      connectionLost()
      candidateCount = max(0, candidateCount - 1)
      return resolutions
    }
    connectionLost()
    candidateCount = candidates.count
    return []
  }

  /// Resolves all messages whose deadline has passed (nil: all).
  mutating func expire(_ now: ContinuousClock.Instant?) -> [Resolution] {
    func isDue(_ entry: Entry) -> Bool { now.map { entry.deadline <= $0 } ?? true }
    var resolutions: [Resolution] = []
    for index in inFlight.indices {
      guard let entry = inFlight[index].entry, isDue(entry), !inFlight[index].isExpired else { continue }
      inFlight[index].isExpired = true
      resolutions.append(Resolution(position: entry.position, result: .lost))
    }
    return resolutions + removeWaiting { isDue($0) ? ($0.wasWritten ? .lost : .expired) : nil }
  }
}
