import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import Logging
import ServiceLifecycle
import TestServers
import Testing

/// A job that the tests' workers know.
struct EchoJob: Job, Equatable {
  static let kind: JobKind = "test.echo"
  var name: String
  /// Whose part of the pool's rate limit it takes.
  var rateLimitKey: String?

  var rateKey: String? { rateLimitKey }
}

/// A job that follows from an echoJob, done in a pool of its own.
struct FollowUpJob: Job, Equatable {
  static let kind: JobKind = "test.follow_up"
  var name: String
}

let echoJobs: PoolName = "echoJobs"
let followUpJobs: PoolName = "followUpJobs"

/// The ports in memory, and the configuration, that the nodes of a test share.
struct EnginePlatform: Sendable {
  let configuration: JobConfiguration
  let broker: InMemoryBroker
  let store = InMemoryJobStore()
  let directory = InMemoryPoolDirectory()
  let limiter = InMemoryRateLimiter()

  var deadLetterIndex: InMemoryDeadLetterIndex { InMemoryDeadLetterIndex(store: store) }

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
          name: echoJobs, jobs: [EchoJob.kind], workers: workers, timeout: timeout, timeouts: timeouts, retry: retry,
          maxCrashes: maxCrashes,
          batch: batch, rate: rate),
        PoolConfiguration(name: followUpJobs, jobs: [FollowUpJob.kind], workers: workers, retry: retry),
        PoolConfiguration(
          name: JobConfiguration.deadLetterPool, jobs: [], workers: WorkerCounts(min: 1, start: 1, max: 1)),
      ])
    broker = InMemoryBroker(pools: [echoJobs, followUpJobs], tiers: [.seconds(1)])
  }

  /// Enqueues echoJobs of these names together.
  @discardableResult
  func enqueue(_ names: String..., deadline: Date? = nil) async throws -> [JobEnvelope] {
    let envelopes = try names.map { try JobCodec.envelope(for: EchoJob(name: $0), tenant: UUID(), deadline: deadline) }
    try await enqueue(envelopes)
    return envelopes
  }

  func enqueue(_ envelopes: [JobEnvelope], to destination: JobDestination = .pool(echoJobs)) async throws {
    let outcomes = await broker.enqueue(
      envelopes.map { OutgoingJob($0, to: destination) }, deadline: .now + .seconds(1))
    try #require(outcomes.allSatisfy { $0 == .enqueued })
  }

  /// Waits until nothing of the echoJobs' pool is waiting or in hand.
  func eventuallyIdle() async throws {
    try await eventually("all echoJobs are settled") { broker.isEmpty(echoJobs) }
  }

  /// Waits until all echoJobs are settled and those that died are in the index.
  func eventuallyIndexed() async throws {
    try await eventuallyIdle()
    try await eventually("all dead letters are indexed") {
      broker.dead(of: echoJobs).isEmpty && broker.unsettledDeadLetterCount(of: echoJobs) == 0
    }
  }

  /// Waits for the one open dead letter and returns it.
  func onlyLetter() async throws -> DeadLetter {
    try await eventually("a dead letter is indexed") { try await deadLetterIndex.letters(DeadLetterFilter()).count > 0 }
    try await eventuallyIndexed()
    let found = try await deadLetterIndex.letters(DeadLetterFilter())
    try #require(found.count == 1)
    return found[0]
  }

  /// Runs a node for the length of `body`, then interrupts it.
  func withNode<Value>(
    _ id: String = "node", grace: Duration = .seconds(30), stallTimeout: Duration = .seconds(15),
    pools: Set<PoolName>? = nil,
    registering register: (inout WorkerRegistry<InMemoryTransaction>) -> Void,
    _ body: (EngineNode) async throws -> Value
  ) async throws -> Value {
    var registry = WorkerRegistry<InMemoryTransaction>()
    register(&registry)
    let node = EngineNode(self, registry, .init(node: id, pools: pools, grace: grace, stallTimeout: stallTimeout))
    do {
      let value = try await body(node)
      await node.interrupt()
      return value
    } catch {
      await node.interrupt()
      throw error
    }
  }

  /// Runs a node whose echoJobs are done by this.
  func withNode<Value>(
    _ id: String = "node", grace: Duration = .seconds(30), stallTimeout: Duration = .seconds(15),
    echoJobs work: @escaping EchoWorker.Body, _ body: (EngineNode) async throws -> Value
  ) async throws -> Value {
    try await withNode(
      id, grace: grace, stallTimeout: stallTimeout, registering: { $0.register(EchoWorker(work)) }, body)
  }
}

/// A running engine.
struct EngineNode: Sendable {
  let processor: JobProcessor<InMemoryJobStore>
  private let group: ServiceGroup
  private let running: Task<Void, any Error>

  init(
    _ platform: EnginePlatform, _ registry: WorkerRegistry<InMemoryTransaction>,
    _ options: JobProcessor<InMemoryJobStore>.Options
  ) {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    processor = JobProcessor(
      configuration: platform.configuration, registry: registry, broker: platform.broker, store: platform.store,
      directory: platform.directory, deadLetterIndex: platform.deadLetterIndex, limiter: platform.limiter,
      options: options,
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

/// Does echoJobs as a test says.
struct EchoWorker: Worker {
  typealias Body = @Sendable (EchoJob, JobContext<InMemoryTransaction>) async throws -> JobOutcome
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  func work(_ job: EchoJob, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    try await body(job, context)
  }

  /// Records the echoJob's name as its effect.
  static let simple: Body = { job, context in
    try await context.complete { transaction, _ in
      transaction.record(job.name)
      return .completed
    }
  }
}

/// Does followUpJobs: each has its name as its effect.
struct FollowUpWorker: Worker {
  func work(_ job: FollowUpJob, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, _ in
      transaction.record(job.name)
      return .completed
    }
  }
}

/// Does echoJobs in batches as a test says.
struct EchoBatchWorker: BatchWorker {
  typealias Body = @Sendable ([BatchItem<EchoJob>], InMemoryTransaction) async throws -> [JobOutcome]
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  func work(
    _ batch: [BatchItem<EchoJob>], in transaction: InMemoryTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    try await body(batch, transaction)
  }
}

/// An error that says what happened, and that may be told.
struct TransientError: Error, CustomStringConvertible {
  var description: String { "the kettle is empty" }
}

/// An error that no other attempt can mend.
struct PermanentError: JobError, CustomStringConvertible {
  var isPermanent: Bool { true }
  var description: String { "there is no such business" }
}
