internal import DequeModule

/// What became of one published message.
package enum PublishResult: Sendable, Equatable {
  /// The broker confirmed that it holds the message in a queue.
  case confirmed
  /// No queue is bound under the routing key: nothing was kept.
  case returned
  /// The broker nacked the message (its queue is full or unavailable): nothing was kept.
  case nacked
  /// The deadline passed before the message was first written: nothing was kept.
  case expired
  /// The deadline passed after the message was written: it may or may not be kept. Publish it again under the same id.
  case lost
}

/// The life of every message between the caller of `publish` and the broker's verdict: a state machine without I/O.
///
/// Messages wait in order; those written get the channel's next delivery tag. When a connection is lost, what was in
/// flight goes back to the head of the line and is written again under the next connection, until its deadline.
struct ConfirmTracker {
  /// One message under way.
  struct Entry {
    /// Whom to tell: the caller's batch and the message's place in it.
    let position: BatchPosition
    let message: RabbitMQMessage
    let deadline: ContinuousClock.Instant
    var wasWritten = false
  }

  /// Where messages go: one that cannot be reached is no news of the others.
  struct Destination: Hashable {
    let exchange: String
    let routingKey: String
  }

  /// A message's place in its caller's batch.
  struct BatchPosition: Equatable {
    let batch: Int
    let index: Int
  }

  /// A message's end.
  struct Resolution: Equatable {
    let position: BatchPosition
    let result: PublishResult
  }

  private struct InFlightMessage {
    let tag: UInt64
    /// Nil once resolved; the slot stays until the tags before it are done.
    var entry: Entry?
    var isReturned = false
    /// The caller was told `lost` already; the message still occupies the window.
    var isExpired = false
    /// It stands at the head of those in flight, though its caller has given up.
    func isOverdue(_ now: ContinuousClock.Instant, by timeout: Duration) -> Bool {
      isExpired && entry.map { $0.deadline + timeout <= now } ?? false
    }
  }

  private var waiting = Deque<Entry>()
  private var inFlight = Deque<InFlightMessage>()
  private var nextTag: UInt64 = 1
  private var inFlightBytes = 0
  /// While positive, so many messages at the head of the line are written one at a time: one of them closes channels.
  private var candidateCount = 0

  /// True between the broker's `connection.blocked` and `unblocked`: nothing new is written.
  var isBlocked = false

  /// A window of this many unconfirmed messages reaches the broker's full rate (500 did in a measurement of the raw
  /// client).
  static let inFlightMax = 1_000
  /// librabbitmq's write blocks for ever once socket buffers are full in an alarm; below this many bytes they are not.
  /// One message may be larger when it is alone.
  static let inFlightBytesMax = 1 << 20

  /// Messages that wait or are in flight.
  var count: Int { waiting.count + inFlight.count { $0.entry != nil } }

  /// Puts a message at the end of the line.
  mutating func add(_ entry: Entry) { waiting.append(entry) }

  /// The next message to write, with its tag; nil where the window is full, publishing is blocked, or nothing waits.
  mutating func next() -> RabbitMQMessage? {
    let window = candidateCount > 0 ? 1 : Self.inFlightMax
    guard !isBlocked, var entry = waiting.first, inFlight.count < window else { return nil }
    guard inFlightBytes == 0 || inFlightBytes + entry.message.size <= Self.inFlightBytesMax else { return nil }
    waiting.removeFirst()
    entry.wasWritten = true
    inFlight.append(InFlightMessage(tag: nextTag, entry: entry))
    inFlightBytes += entry.message.size
    nextTag += 1
    return entry.message
  }

  /// True where the broker owes its word on the oldest message since long after the deadline. It withholds it while the
  /// queue has no leader, and what was written behind it holds the window; under a new connection the others go on.
  func isStuck(_ now: ContinuousClock.Instant, timeout: Duration) -> Bool {
    !isBlocked && inFlight.first?.isOverdue(now, by: timeout) ?? false
  }

  /// Where the messages go that the broker speaks of: one tag, or all up to it.
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
    inFlightBytes -= entry.message.size
    candidateCount = max(0, candidateCount - 1)
    if !inFlight[index].isExpired { resolutions.append(Resolution(position: entry.position, result: result)) }
  }

  /// The broker returned a message; its ack follows. The same message may be in flight twice: the oldest unmarked one
  /// is meant.
  mutating func returned(_ content: FrameAssembler.Content) {
    guard case .returned(_, let exchange, let routingKey) = content.announcement else { return }
    let index = inFlight.firstIndex { flight in
      guard !flight.isReturned, let message = flight.entry?.message else { return false }
      return message.properties.messageID == content.properties.messageID && message.exchange == exchange
        && message.routingKey == routingKey
    }
    if let index { inFlight[index].isReturned = true }
  }

  /// The connection is gone: what was in flight waits again, in order, before all else.
  @discardableResult
  mutating func connectionLost() -> [Resolution] {
    waiting.prepend(contentsOf: inFlight.filter { !$0.isExpired }.compactMap(\.entry))
    inFlight = []
    inFlightBytes = 0
    nextTag = 1
    isBlocked = false
    return []
  }

  /// The broker closed the channel for the fault of one message (its exchange is missing, say), without saying which.
  ///
  /// One that was alone in flight is at fault and nacked. Of several each is written alone next time, until all of
  /// them are resolved.
  mutating func channelClosed() -> [Resolution] {
    let candidates = inFlight.filter { $0.entry != nil }
    if candidates.count == 1, let entry = candidates[0].entry {
      let resolutions = candidates[0].isExpired ? [] : [Resolution(position: entry.position, result: .nacked)]
      inFlight = []
      connectionLost()
      candidateCount = max(0, candidateCount - 1)
      return resolutions
    }
    connectionLost()
    candidateCount = candidates.count
    return []
  }

  /// Resolves all whose deadline has passed; with nil, all there are.
  mutating func expire(_ now: ContinuousClock.Instant?) -> [Resolution] {
    func isDue(_ entry: Entry) -> Bool { now.map { entry.deadline <= $0 } ?? true }
    var resolutions: [Resolution] = []
    for index in inFlight.indices {
      guard let entry = inFlight[index].entry, isDue(entry), !inFlight[index].isExpired else { continue }
      inFlight[index].isExpired = true
      resolutions.append(Resolution(position: entry.position, result: .lost))
    }
    if waiting.contains(where: isDue) {
      for entry in waiting where isDue(entry) {
        resolutions.append(Resolution(position: entry.position, result: entry.wasWritten ? .lost : .expired))
      }
      waiting.removeAll(where: isDue)
    }
    return resolutions
  }
}
