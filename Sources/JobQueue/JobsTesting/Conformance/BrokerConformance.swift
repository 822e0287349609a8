internal import Foundation
package import Jobs

/// The rules of ``Jobs/JobBroker``: what is enqueued is delivered, until it is acknowledged.
///
/// Each rule wants two pools whose queues are empty and that nothing else consumes.
package struct BrokerConformance: Sendable {
  let broker: any JobBroker
  let pool: PoolName
  let other: PoolName
  let tier: Duration
  let releaseRetries: @Sendable () -> Void

  /// A broker under test.
  ///
  /// - Parameter pools: two pools it has.
  /// - Parameter tier: a retry tier it has.
  /// - Parameter releaseRetries: ends the tier's pause, where that does not end by itself.
  package init(
    broker: any JobBroker, pools: (PoolName, PoolName), tier: Duration,
    releaseRetries: @escaping @Sendable () -> Void = {}
  ) {
    self.broker = broker
    (pool, other) = pools
    self.tier = tier
    self.releaseRetries = releaseRetries
  }

  /// All rules.
  package static var rules: [ConformanceRule<Self>] { enqueueRules + settleRules + flowRules }

  typealias Rule = ConformanceRule<Self>

  // MARK: What the checks share

  var soon: ContinuousClock.Instant { .now + .seconds(20) }

  func jobs(_ count: Int) -> [JobEnvelope] { (0..<count).map { _ in SampleJobs.bare() } }

  /// Enqueues jobs and requires that the broker keeps each.
  func keep(_ jobs: [JobEnvelope], to destination: JobDestination? = nil) async throws {
    let outcomes = await broker.enqueue(jobs.map { OutgoingJob($0, to: destination ?? .pool(pool)) }, deadline: soon)
    try requireEqual(outcomes, jobs.map { _ in EnqueueResult.enqueued }, "what became of the enqueued jobs")
  }

  func subscribe(_ capacity: Int = 10) -> any JobSubscription { broker.subscribe(pool: pool, capacity: capacity) }

  /// Sends a job through the other pool and back: time enough for what the broker did before to arrive.
  func roundTrip() async throws {
    let job = SampleJobs.bare()
    try await keep([job], to: .pool(other))
    let subscription = broker.subscribe(pool: other, capacity: 10)
    let reader = DeliveryReader(subscription) { $0.acknowledge() }
    try await waitUntil("a job went to another pool and came back") { reader.envelopes.contains(job) }
    subscription.cancel()
    try await reader.waitForEnd()
  }

  /// Requires that nothing waits in the pool: the next job to arrive is one that is enqueued now.
  func requireNothingLeft() async throws {
    let last = SampleJobs.bare()
    try await keep([last])
    let reader = DeliveryReader(subscribe()) { $0.acknowledge() }
    try requireEqual(try await reader.wait(for: 1).compactMap(\.envelope), [last], "what the pool still had")
  }
}
