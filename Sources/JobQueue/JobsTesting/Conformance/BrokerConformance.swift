internal import Foundation
package import Jobs

/// The rules of ``Jobs/JobBroker``: what is enqueued is delivered until it is acknowledged.
///
/// Each rule needs two pools whose queues are empty and have no other consumer.
package struct BrokerConformance: Sendable {
  let broker: any JobBroker
  let pool: PoolName
  let other: PoolName
  let tier: Duration
  let releaseRetries: @Sendable () -> Void

  /// - Parameter pools: two pools of the broker.
  /// - Parameter tier: a retry tier of the broker.
  /// - Parameter releaseRetries: ends the tier's delay, unless it ends by itself.
  package init(
    broker: any JobBroker, pools: (PoolName, PoolName), tier: Duration,
    releaseRetries: @escaping @Sendable () -> Void = {}
  ) {
    self.broker = broker
    (pool, other) = pools
    self.tier = tier
    self.releaseRetries = releaseRetries
  }

  package static var rules: [ConformanceRule<Self>] { enqueueRules + settleRules + flowRules }

  typealias Rule = ConformanceRule<Self>

  // MARK: Helpers of the rules

  var soon: ContinuousClock.Instant { .now + .seconds(20) }

  func jobs(_ count: Int) -> [JobEnvelope] { (0..<count).map { _ in SampleJobs.bare() } }

  /// Enqueues jobs and requires that the broker confirms each.
  func enqueue(_ jobs: [JobEnvelope], to destination: JobDestination? = nil) async throws {
    let results = await broker.enqueue(jobs.map { OutgoingJob($0, to: destination ?? .pool(pool)) }, deadline: soon)
    try requireEqual(results, jobs.map { _ in EnqueueResult.enqueued }, "the results")
  }

  func subscribe(_ capacity: Int = 10) -> any JobSubscription { broker.subscribe(pool: pool, capacity: capacity) }

  /// Sends a job through the other pool, so that everything the broker sent before has arrived.
  func roundTrip() async throws {
    let job = SampleJobs.bare()
    try await enqueue([job], to: .pool(other))
    let subscription = broker.subscribe(pool: other, capacity: 10)
    let reader = DeliveryReader(subscription) { $0.acknowledge() }
    try await waitUntil("a job arrived in the other pool") { reader.envelopes.contains(job) }
    subscription.cancel()
    try await reader.waitForEnd()
  }

  /// Requires that the pool is empty: the next job to arrive is one that is enqueued now.
  func requireEmpty() async throws {
    let last = SampleJobs.bare()
    try await enqueue([last])
    let reader = DeliveryReader(subscribe()) { $0.acknowledge() }
    try requireEqual(try await reader.wait(for: 1).compactMap(\.envelope), [last], "what arrived next from the pool")
  }
}
