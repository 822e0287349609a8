import Foundation
import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import Logging
import ServiceLifecycle
import TestServers
import Testing

/// A job that the tests' workers know.
struct Errand: Job, Equatable {
  static let kind: JobKind = "test.errand"
  var name: String
  /// Whose part of the pool's rate limit it takes.
  var line: String?

  var rateKey: String? { line }
}

/// A job that follows from an errand, done in a pool of its own.
struct Sequel: Job, Equatable {
  static let kind: JobKind = "test.sequel"
  var name: String
}

let errands: PoolName = "errands"
let sequels: PoolName = "sequels"

/// The ports in memory, and the configuration, that the nodes of a test share.
struct EnginePlatform: Sendable {
  let configuration: JobConfiguration
  let broker: InMemoryBroker
  let ledger = InMemoryLedger()
  let directory = InMemoryPoolDirectory()
  let limiter = InMemoryRateLimiter()

  var letters: InMemoryDeadLetterIndex { InMemoryDeadLetterIndex(ledger: ledger) }

  /// Two pools; failed jobs always wait in the one tier, so that no test depends on chance.
  init(
    workers: WorkerCounts = WorkerCounts(min: 1, start: 4, max: 50), timeout: Duration = .seconds(30),
    maxAttempts: Int = 3, maxCrashes: Int = 2, batch: BatchConfiguration? = nil, rate: RateLimit? = nil,
    timeouts: [JobKind: Duration] = [:]
  ) {
    let retry = RetryPolicy(maxAttempts: maxAttempts, base: .seconds(1), factor: 1, max: .seconds(1), jitter: .none)
    configuration = JobConfiguration(
      retryTiers: [.seconds(1)],
      pools: [
        PoolConfiguration(
          name: errands, jobs: [Errand.kind], workers: workers, timeout: timeout, timeouts: timeouts, retry: retry,
          maxCrashes: maxCrashes,
          batch: batch, rate: rate),
        PoolConfiguration(name: sequels, jobs: [Sequel.kind], workers: workers, retry: retry),
        PoolConfiguration(
          name: JobConfiguration.deadLetterPool, jobs: [], workers: WorkerCounts(min: 1, start: 1, max: 1)),
      ])
    broker = InMemoryBroker(pools: [errands, sequels], tiers: [.seconds(1)])
  }

  /// Enqueues errands of these names together.
  @discardableResult
  func enqueue(_ names: String..., deadline: Date? = nil) async throws -> [JobEnvelope] {
    let envelopes = try names.map { try JobCodec.envelope(for: Errand(name: $0), tenant: UUID(), deadline: deadline) }
    try await enqueue(envelopes)
    return envelopes
  }

  func enqueue(_ envelopes: [JobEnvelope], to destination: JobDestination = .pool(errands)) async throws {
    let outcomes = await broker.enqueue(
      envelopes.map { OutgoingJob($0, to: destination) }, deadline: .now + .seconds(1))
    try #require(outcomes.allSatisfy { $0 == .kept })
  }

  /// Waits until nothing of the errands' pool is waiting or in hand.
  func eventuallyIdle() async throws {
    try await eventually("all errands are settled") { broker.isEmpty(errands) }
  }

  /// Waits until all errands are settled and those that died are in the index.
  func eventuallyIndexed() async throws {
    try await eventuallyIdle()
    try await eventually("all dead letters are indexed") {
      broker.dead(of: errands).isEmpty && broker.unsettledDeadCount(of: errands) == 0
    }
  }

  /// Waits for the one open dead letter and returns it.
  func onlyLetter() async throws -> DeadLetter {
    try await eventually("a dead letter is indexed") { try await letters.letters(DeadLetterFilter()).count > 0 }
    try await eventuallyIndexed()
    let found = try await letters.letters(DeadLetterFilter())
    try #require(found.count == 1)
    return found[0]
  }

  /// Runs a node for the length of `body`, then interrupts it.
  func withNode<Value>(
    _ id: String = "node", grace: Duration = .seconds(30), silence: Duration = .seconds(15),
    pools: Set<PoolName>? = nil,
    registering register: (inout WorkerRegistry<InMemoryTransaction>) -> Void,
    _ body: (EngineNode) async throws -> Value
  ) async throws -> Value {
    var registry = WorkerRegistry<InMemoryTransaction>()
    register(&registry)
    let node = EngineNode(self, registry, .init(node: id, pools: pools, grace: grace, silence: silence))
    do {
      let value = try await body(node)
      await node.interrupt()
      return value
    } catch {
      await node.interrupt()
      throw error
    }
  }

  /// Runs a node whose errands are done by this.
  func withNode<Value>(
    _ id: String = "node", grace: Duration = .seconds(30), silence: Duration = .seconds(15),
    errands work: @escaping ErrandWorker.Body, _ body: (EngineNode) async throws -> Value
  ) async throws -> Value {
    try await withNode(id, grace: grace, silence: silence, registering: { $0.register(ErrandWorker(work)) }, body)
  }
}

/// A running engine.
struct EngineNode: Sendable {
  let processor: JobProcessor<InMemoryLedger>
  private let group: ServiceGroup
  private let running: Task<Void, any Error>

  init(
    _ platform: EnginePlatform, _ registry: WorkerRegistry<InMemoryTransaction>,
    _ options: JobProcessor<InMemoryLedger>.Options
  ) {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    processor = JobProcessor(
      configuration: platform.configuration, registry: registry, broker: platform.broker, ledger: platform.ledger,
      directory: platform.directory, letters: platform.letters, limiter: platform.limiter, options: options,
      logger: logger)
    let group = ServiceGroup(services: [processor], logger: logger)
    self.group = group
    running = Task { try await group.run() }
  }

  /// Asks the engine to drain.
  func beginShutdown() async { await group.triggerGracefulShutdown() }

  /// Waits until the engine has drained.
  func drained() async throws { try await running.value }

  /// Ends the engine at once; a no-op where it has ended.
  func interrupt() async {
    running.cancel()
    _ = await running.result
  }
}

/// Does errands as a test says.
struct ErrandWorker: Worker {
  typealias Body = @Sendable (Errand, JobContext<InMemoryTransaction>) async throws -> JobOutcome
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  func work(_ job: Errand, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    try await body(job, context)
  }

  /// Records the errand's name as its effect.
  static let simple: Body = { job, context in
    try await context.close { transaction, _ in
      transaction.record(job.name)
      return .completed
    }
  }
}

/// Does sequels: each has its name as its effect.
struct SequelWorker: Worker {
  func work(_ job: Sequel, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    try await context.close { transaction, _ in
      transaction.record(job.name)
      return .completed
    }
  }
}

/// Does errands in batches as a test says.
struct ErrandBatchWorker: BatchWorker {
  typealias Body = @Sendable ([BatchItem<Errand>], InMemoryTransaction) async throws -> [JobOutcome]
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  func work(
    _ batch: [BatchItem<Errand>], in transaction: InMemoryTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    try await body(batch, transaction)
  }
}

/// An error that says what happened, and that may be told.
struct Mishap: Error, CustomStringConvertible {
  var description: String { "the kettle is empty" }
}

/// An error that no other attempt can mend.
struct Hopeless: JobError, CustomStringConvertible {
  var isPermanent: Bool { true }
  var description: String { "there is no such business" }
}
