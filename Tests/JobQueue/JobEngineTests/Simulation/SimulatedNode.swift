import ClientLoop
import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import Logging
import Synchronization

/// Whether a node of a simulation lives. One that has crashed reaches nothing any more, at whatever point it was.
final class CrashSwitch: Sendable {
  private let hasEnded = Mutex(false)

  var hasCrashed: Bool { hasEnded.withLock { $0 } }
  func crash() { hasEnded.withLock { $0 = true } }

  /// Lets a little time pass on the way, in which the node may crash; throws where it has.
  func delayOrFail() async throws {
    var generator = TimeSource.generator
    try? await TimeSource.sleep(for: .microseconds(Int64.random(in: 0...3_000, using: &generator)))
    if hasCrashed { throw JobStoreError.unavailable("the node has crashed") }
  }
}

/// A store as a node sees it: some way off, and gone when the node crashes, before or after the call took effect.
struct CrashableStore: JobStore {
  let store: InMemoryJobStore
  let crashSwitch: CrashSwitch

  private func call<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await crashSwitch.delayOrFail()
    let value = try await body()
    try await crashSwitch.delayOrFail()
    return value
  }

  func complete(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (InMemoryTransaction, Set<JobRun>) async throws -> Completion
  ) async throws -> Completion? {
    try await call {
      try await store.complete(receipts, deadline: deadline) { transaction, open in
        try await crashSwitch.delayOrFail()
        let completion = try await body(transaction, open)
        try await crashSwitch.delayOrFail()
        return completion
      }
    }
  }
  func withTransaction<Value: Sendable>(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (InMemoryTransaction) async throws -> Value
  ) async throws -> Value { try await call { try await store.withTransaction(deadline: deadline, body) } }
  func now() async throws -> Date { try await call { try await store.now() } }
  func history(of job: JobRun) async throws -> RunHistory { try await call { try await store.history(of: job) } }
  func deleteFromOutbox(_ jobs: [JobRun]) async throws { try await call { try await store.deleteFromOutbox(jobs) } }
  func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    try await call {
      try await store.relayOutbox(olderThan: age, limit: limit) { entries in
        let enqueued = await publish(entries)
        // A transaction that dies with its node deletes nothing.
        return crashSwitch.hasCrashed ? [] : enqueued
      }
    }
  }
  func schedule(_ envelope: JobEnvelope, pool: PoolName, after delay: Duration) async throws {
    try await call { try await store.schedule(envelope, pool: pool, after: delay) }
  }
  func park(_ envelope: JobEnvelope, pool: PoolName) async throws {
    try await call { try await store.park(envelope, pool: pool) }
  }
  func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try await call { try await store.unpark(pool: pool, except: paused, limit: limit) }
  }
  func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try await call { try await store.releaseDueJobs(limit: limit) }
  }
  func markStart(_ job: JobRun, node: String) async throws -> Int {
    try await call { try await store.markStart(job, node: node) }
  }
  func clearStarts(_ job: JobRun) async throws { try await call { try await store.clearStarts(job) } }
}

/// A broker as a node sees it.
struct CrashableBroker: JobBroker {
  let broker: InMemoryBroker
  let crashSwitch: CrashSwitch

  var isReady: Bool { !crashSwitch.hasCrashed && broker.isReady }

  func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
    guard (try? await crashSwitch.delayOrFail()) != nil else { return jobs.map { _ in .unavailable } }
    let outcomes = await broker.enqueue(jobs, deadline: deadline)
    guard (try? await crashSwitch.delayOrFail()) != nil else { return jobs.map { _ in .inDoubt } }
    return outcomes
  }

  func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
    CrashableSubscription(broker.subscribe(pool: pool, capacity: capacity), crashSwitch)
  }
  func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
    CrashableSubscription(broker.subscribeToDeadLetters(of: pool, capacity: capacity), crashSwitch)
  }
}

/// A subscription that settles nothing once its node has crashed.
struct CrashableSubscription: JobSubscription {
  private let subscription: any JobSubscription
  private let crashSwitch: CrashSwitch
  let deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable

  init(_ subscription: any JobSubscription, _ crashSwitch: CrashSwitch) {
    self.subscription = subscription
    self.crashSwitch = crashSwitch
    let (stream, output) = AsyncStream.makeStream(of: [JobDelivery].self)
    deliveries = stream
    let incoming = subscription.deliveries
    Task(executorPreference: TimeSource.value.executor) {
      for await batch in incoming {
        output.yield(
          batch.map { delivery in
            JobDelivery(
              content: delivery.content, body: delivery.body, redelivered: delivery.redelivered,
              deadLetterInfo: delivery.deadLetterInfo, isStillHeld: { delivery.isHeld }
            ) { isAcknowledged in
              if crashSwitch.hasCrashed { return }
              if isAcknowledged { delivery.acknowledge() } else { delivery.requeue() }
            }
          })
      }
      output.finish()
    }
  }

  var isConsuming: Bool { !crashSwitch.hasCrashed && subscription.isConsuming }
  func setCapacity(_ capacity: Int) { if !crashSwitch.hasCrashed { subscription.setCapacity(capacity) } }
  func queuedCount() async throws -> Int? { try await subscription.queuedCount() }
  func restart() { if !crashSwitch.hasCrashed { subscription.restart() } }
  /// Also how the broker learns that the node is gone.
  func cancel() { subscription.cancel() }
}

/// A node of a simulation, which can crash.
final class SimulatedNode: Sendable {
  private let platform: EnginePlatform
  private let crashSwitch = CrashSwitch()
  private let running: Task<Void, Never>

  init(_ id: String, _ platform: EnginePlatform, _ registry: WorkerRegistry<InMemoryTransaction>) {
    self.platform = platform
    let processor = JobProcessor(
      configuration: platform.configuration, registry: registry,
      broker: CrashableBroker(broker: platform.broker, crashSwitch: crashSwitch),
      store: CrashableStore(store: platform.store, crashSwitch: crashSwitch), directory: platform.directory,
      deadLetterIndex: platform.deadLetterIndex, limiter: platform.limiter, options: .init(node: id),
      logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() })
    running = Task(executorPreference: TimeSource.value.executor) { try? await processor.run() }
  }

  /// Ends it at whatever point it is: what it has in hand goes back to the broker.
  func crash() async {
    crashSwitch.crash()
    running.cancel()
    await running.value
    platform.broker.forgetCancelled()
  }
}
