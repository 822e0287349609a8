import Foundation
import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import Logging
import Synchronization
import Wires

/// Whether a node of a simulation lives. One that has crashed reaches nothing any more, at whatever point it was.
final class Life: Sendable {
  private let hasEnded = Mutex(false)

  var isOver: Bool { hasEnded.withLock { $0 } }
  func end() { hasEnded.withLock { $0 = true } }

  /// Lets a little time pass on the way, in which the node may crash; throws where it has.
  func travel() async throws {
    var generator = CurrentRuntime.generator
    try? await CurrentRuntime.sleep(for: .microseconds(Int64.random(in: 0...3_000, using: &generator)))
    if isOver { throw LedgerError.unavailable("the node has crashed") }
  }
}

/// A ledger as a node sees it: some way off, and gone when the node crashes, before or after the call took effect.
struct MortalLedger: JobLedger {
  let ledger: InMemoryLedger
  let life: Life

  private func call<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await life.travel()
    let value = try await body()
    try await life.travel()
    return value
  }

  func close(
    _ receipts: [JobReceipt], deadline: ContinuousClock.Instant,
    _ body: @escaping @Sendable (InMemoryTransaction, Set<JobRun>) async throws -> JobClosing
  ) async throws -> [OutboxEntry] {
    try await call {
      try await ledger.close(receipts, deadline: deadline) { transaction, open in
        try await life.travel()
        let closing = try await body(transaction, open)
        try await life.travel()
        return closing
      }
    }
  }
  func transact(
    deadline: ContinuousClock.Instant, _ body: @escaping @Sendable (InMemoryTransaction) async throws -> Void
  ) async throws { try await call { try await ledger.transact(deadline: deadline, body) } }
  func now() async throws -> Date { try await call { try await ledger.now() } }
  func history(of job: JobRun) async throws -> JobHistory { try await call { try await ledger.history(of: job) } }
  func deleteFromOutbox(_ jobs: [JobRun]) async throws { try await call { try await ledger.deleteFromOutbox(jobs) } }
  func relayOutbox(
    olderThan age: Duration, limit: Int, _ publish: @escaping @Sendable ([OutboxEntry]) async -> [JobRun]
  ) async throws -> Int {
    try await call {
      try await ledger.relayOutbox(olderThan: age, limit: limit) { entries in
        let kept = await publish(entries)
        // A transaction that dies with its node deletes nothing.
        return life.isOver ? [] : kept
      }
    }
  }
  func delay(_ envelope: JobEnvelope, pool: PoolName, for pause: Duration) async throws {
    try await call { try await ledger.delay(envelope, pool: pool, for: pause) }
  }
  func park(_ envelope: JobEnvelope, pool: PoolName) async throws {
    try await call { try await ledger.park(envelope, pool: pool) }
  }
  func unpark(pool: PoolName, except paused: Set<JobKind>, limit: Int) async throws -> Int {
    try await call { try await ledger.unpark(pool: pool, except: paused, limit: limit) }
  }
  func releaseDueJobs(limit: Int) async throws -> [OutboxEntry] {
    try await call { try await ledger.releaseDueJobs(limit: limit) }
  }
  func markStart(_ job: JobRun, node: String) async throws -> Int {
    try await call { try await ledger.markStart(job, node: node) }
  }
  func clearStarts(_ job: JobRun) async throws { try await call { try await ledger.clearStarts(job) } }
}

/// A broker as a node sees it.
struct MortalBroker: JobBroker {
  let broker: InMemoryBroker
  let life: Life

  var isReady: Bool { !life.isOver && broker.isReady }

  func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueOutcome] {
    guard (try? await life.travel()) != nil else { return jobs.map { _ in .unavailable } }
    let outcomes = await broker.enqueue(jobs, deadline: deadline)
    guard (try? await life.travel()) != nil else { return jobs.map { _ in .inDoubt } }
    return outcomes
  }

  func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
    MortalSubscription(broker.subscribe(pool: pool, capacity: capacity), life)
  }
  func subscribeToDead(of pool: PoolName, capacity: Int) -> any JobSubscription {
    MortalSubscription(broker.subscribeToDead(of: pool, capacity: capacity), life)
  }
}

/// A subscription that settles nothing once its node has crashed.
struct MortalSubscription: JobSubscription {
  private let subscription: any JobSubscription
  private let life: Life
  let deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable

  init(_ subscription: any JobSubscription, _ life: Life) {
    self.subscription = subscription
    self.life = life
    let (stream, output) = AsyncStream.makeStream(of: [JobDelivery].self)
    deliveries = stream
    let incoming = subscription.deliveries
    Task(executorPreference: CurrentRuntime.value.executor) {
      for await batch in incoming {
        output.yield(
          batch.map { delivery in
            JobDelivery(
              content: delivery.content, body: delivery.body, redelivered: delivery.redelivered,
              certificate: delivery.certificate, isOurs: { delivery.isHeld }
            ) { isDone in
              if life.isOver { return }
              if isDone { delivery.acknowledge() } else { delivery.giveBack() }
            }
          })
      }
      output.finish()
    }
  }

  var isFlowing: Bool { !life.isOver && subscription.isFlowing }
  func setCapacity(_ capacity: Int) { if !life.isOver { subscription.setCapacity(capacity) } }
  func waitingCount() async throws -> Int? { try await subscription.waitingCount() }
  func restart() { if !life.isOver { subscription.restart() } }
  /// Also how the broker learns that the node is gone.
  func cancel() { subscription.cancel() }
}

/// A node of a simulation, which can crash.
final class SimulatedNode: Sendable {
  private let platform: EnginePlatform
  private let life = Life()
  private let running: Task<Void, Never>

  init(_ id: String, _ platform: EnginePlatform, _ registry: WorkerRegistry<InMemoryTransaction>) {
    self.platform = platform
    let processor = JobProcessor(
      configuration: platform.configuration, registry: registry,
      broker: MortalBroker(broker: platform.broker, life: life),
      ledger: MortalLedger(ledger: platform.ledger, life: life), directory: platform.directory,
      letters: platform.letters, limiter: platform.limiter, options: .init(node: id),
      logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() })
    running = Task(executorPreference: CurrentRuntime.value.executor) { try? await processor.run() }
  }

  /// Ends it at whatever point it is: what it has in hand goes back to the broker.
  func crash() async {
    life.end()
    running.cancel()
    await running.value
    platform.broker.forgetCancelled()
  }
}
