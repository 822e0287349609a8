import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// The in-memory ports and the configuration that the nodes of a test share.
struct EnginePlatform: Sendable {
  let configuration: JobConfiguration
  let broker: InMemoryBroker
  let store = InMemoryJobStore()
  let directory = InMemoryPoolDirectory()
  let limiter = InMemoryRateLimiter()

  var deadLetterIndex: InMemoryDeadLetterIndex { InMemoryDeadLetterIndex(store: store) }

  /// Two pools and one retry tier, so that no test depends on a drawn delay.
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
          maxCrashes: maxCrashes, batch: batch, rate: rate),
        PoolConfiguration(name: followUpJobs, jobs: [FollowUpJob.kind], workers: workers, retry: retry),
        PoolConfiguration(
          name: JobConfiguration.deadLetterPool, jobs: [], workers: WorkerCounts(min: 1, start: 1, max: 1)),
      ])
    broker = InMemoryBroker(pools: [echoJobs, followUpJobs], tiers: [.seconds(1)])
  }

  /// Enqueues echo jobs of these names together.
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

  /// Waits until no job of the echo jobs' pool is queued, prefetched or running.
  func eventuallyIdle() async throws {
    try await eventually("all echo jobs are settled") { broker.isEmpty(echoJobs) }
  }

  /// Waits until all echo jobs are settled and the dead ones are in the index.
  func eventuallyIndexed() async throws {
    try await eventuallyIdle()
    try await eventually("all dead letters are indexed") {
      broker.dead(of: echoJobs).isEmpty && broker.unsettledDeadLetterCount(of: echoJobs) == 0
    }
  }

  /// Waits for the only open dead letter and returns it.
  func onlyLetter() async throws -> DeadLetter {
    try await eventually("a dead letter is indexed") { try await deadLetterIndex.letters(DeadLetterFilter()).count > 0 }
    try await eventuallyIndexed()
    let found = try await deadLetterIndex.letters(DeadLetterFilter())
    try #require(found.count == 1)
    return found[0]
  }

  /// Runs a node until `body` returns, then interrupts it.
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

  /// Runs a node whose worker of echo jobs is `work`.
  func withNode<Value>(
    _ id: String = "node", grace: Duration = .seconds(30), stallTimeout: Duration = .seconds(15),
    echoJobs work: @escaping EchoWorker.Body, _ body: (EngineNode) async throws -> Value
  ) async throws -> Value {
    try await withNode(
      id, grace: grace, stallTimeout: stallTimeout, registering: { $0.register(EchoWorker(work)) }, body)
  }
}
