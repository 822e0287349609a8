internal import Foundation
internal import Jobs

/// The state of an ``InMemoryBroker``, behind its lock.
struct BrokerState: Sendable {
  enum Queue: Sendable, Hashable, Comparable {
    case jobs(PoolName)
    case dead(PoolName)
  }

  struct Message: Sendable {
    /// The order in the queue; a requeued message keeps its number.
    let number: Int
    let content: JobDelivery.Content
    let body: Data
    let deadLetterInfo: DeadLetterInfo?
    var isRedelivered: Bool

    var envelope: JobEnvelope? { if case .job(let envelope) = content { envelope } else { nil } }

    /// Made of the queue and the body: an unreadable message in memory has no properties.
    func contentID(in queue: Queue) -> JobID {
      var digest = ContentDigest()
      digest.append("\(queue)")
      digest.append(body)
      return JobID(digest.uuid)
    }
  }

  struct Consumer: Sendable {
    let queue: Queue
    let output: AsyncStream<[JobDelivery]>.Continuation
    var capacity: Int
    var unsettled: [Int: Message] = [:]
    var isCancelled = false
    var isStalled = false

    var freeCapacity: Int { isCancelled || isStalled ? 0 : max(0, capacity - unsettled.count) }
  }

  struct Fault: Sendable {
    let fault: InMemoryBroker.EnqueueFault
    let matches: @Sendable (OutgoingJob) -> Bool
    var times: Int
  }

  /// Larger bodies are refused, as RabbitMQ's client does.
  private static let bodyMax = 16 << 20

  let pools: Set<PoolName>
  let tiers: Set<Duration>?
  var queued: [Queue: [Message]] = [:]
  var consumers: [Int: Consumer] = [:]
  var retries: [OutgoingJob] = []
  var unroutable: [JobEnvelope] = []
  var acknowledged: [JobRun] = []
  var notEnqueued: [OutgoingJob] = []
  var faults: [Fault] = []
  var restarts: [Queue: Int] = [:]
  var isReady = true
  private var lastNumber = 0

  init(pools: Set<PoolName>, tiers: Set<Duration>?) {
    self.pools = pools
    self.tiers = tiers
  }

  mutating func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }

  // MARK: Enqueuing

  mutating func enqueue(_ job: OutgoingJob) -> EnqueueResult {
    let outcome = outcome(of: job)
    if outcome != .enqueued { notEnqueued.append(job) }
    return outcome
  }

  private mutating func outcome(of job: OutgoingJob) -> EnqueueResult {
    guard job.envelope.body.count <= Self.bodyMax else { return .refused }
    guard isReady else { return .unavailable }
    switch fault(for: job) {
    case .unroutable: return .unroutable
    case .unavailable: return .unavailable
    case .refused: return .refused
    case .inDoubt(let isEnqueued):
      if isEnqueued { _ = keep(job) }
      return .inDoubt
    case nil: return keep(job) ? .enqueued : .unroutable
    }
  }

  private mutating func fault(for job: OutgoingJob) -> InMemoryBroker.EnqueueFault? {
    guard let index = faults.firstIndex(where: { $0.matches(job) }) else { return nil }
    let fault = faults[index].fault
    faults[index].times -= 1
    if faults[index].times == 0 { faults.remove(at: index) }
    return fault
  }

  /// False: there is no such queue or tier.
  private mutating func keep(_ job: OutgoingJob) -> Bool {
    switch job.destination {
    case .pool(let pool): return put(job.envelope, into: .jobs(pool), of: pool)
    case .dead(let pool, let deadLetterInfo): return put(job.envelope, into: .dead(pool), of: pool, deadLetterInfo)
    case .retry(let delay, _):
      guard tiers?.contains(delay) ?? true else { return false }
      retries.append(job)
      return true
    }
  }

  private mutating func put(
    _ envelope: JobEnvelope, into queue: Queue, of pool: PoolName, _ deadLetterInfo: DeadLetterInfo? = nil
  ) -> Bool {
    guard pools.contains(pool) else { return false }
    put(.job(envelope), body: envelope.body, into: queue, deadLetterInfo: deadLetterInfo, isRedelivered: false)
    return true
  }

  mutating func put(
    _ content: JobDelivery.Content, body: Data, into queue: Queue, deadLetterInfo: DeadLetterInfo?, isRedelivered: Bool
  ) {
    queued[queue, default: []].append(
      Message(
        number: nextNumber(), content: content, body: body, deadLetterInfo: deadLetterInfo, isRedelivered: isRedelivered
      ))
  }

  /// Moves retrying jobs to their pools; those whose pool is gone become unroutable.
  mutating func releaseRetries() {
    let due = retries
    retries = []
    for job in due {
      guard case .retry(_, let pool) = job.destination else { continue }
      if !put(job.envelope, into: .jobs(pool), of: pool) { unroutable.append(job.envelope) }
    }
  }

  // MARK: Consuming

  func unsettledCount(_ queue: Queue) -> Int {
    consumers.values.reduce(0) { $1.queue == queue ? $0 + $1.unsettled.count : $0 }
  }

  /// Delivers queued messages to consumers with capacity, those with most first; returns what each got.
  mutating func assign(_ queue: Queue) -> [Int: [(tag: Int, message: Message)]] {
    var assigned: [Int: [(tag: Int, message: Message)]] = [:]
    while let message = queued[queue]?.first, let consumer = freest(of: queue) {
      queued[queue]?.removeFirst()
      let tag = nextNumber()
      consumers[consumer]?.unsettled[tag] = message
      assigned[consumer, default: []].append((tag: tag, message: message))
    }
    return assigned
  }

  private func freest(of queue: Queue) -> Int? {
    let candidates = consumers.filter { $0.value.queue == queue && $0.value.freeCapacity > 0 }
    return candidates.max { ($0.value.freeCapacity, $1.key) < ($1.value.freeCapacity, $0.key) }?.key
  }

  /// Settles a delivery and returns its queue; nil: it was settled or taken back before.
  mutating func settle(consumer id: Int, tag: Int, isAcknowledged: Bool) -> Queue? {
    guard let consumer = consumers[id], let message = consumer.unsettled[tag] else { return nil }
    consumers[id]?.unsettled[tag] = nil
    if isAcknowledged {
      if let envelope = message.envelope { acknowledged.append(envelope.jobRun) }
    } else {
      requeue([message], to: consumer.queue)
    }
    return consumer.queue
  }

  /// Requeues everything that a consumer has not settled; returns the queue.
  mutating func requeueUnsettled(of id: Int) -> Queue? {
    guard let consumer = consumers[id] else { return nil }
    consumers[id]?.unsettled = [:]
    requeue(Array(consumer.unsettled.values), to: consumer.queue)
    return consumer.queue
  }

  private mutating func requeue(_ messages: [Message], to queue: Queue) {
    let returned = messages.map { message in
      var message = message
      message.isRedelivered = true
      return message
    }
    queued[queue] = (queued[queue, default: []] + returned).sorted { $0.number < $1.number }
  }
}
