import JobConfiguration
import Jobs
import JobsRabbitMQ
import JobsTesting
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQConformanceTests {
  @Test(arguments: BrokerConformance.rules)
  func `the broker on RabbitMQ keeps the rule`(_ rule: ConformanceRule<BrokerConformance>) async throws {
    try await withAppliedTopology { broker, configuration async throws in
      let pools = (configuration.pools[0].name, configuration.pools[1].name)
      try await rule.check(BrokerConformance(broker: broker, pools: pools, tier: configuration.retryTiers[0]))
    }
  }

  @Test func `a retried job does not return before its delay is over`() async throws {
    try await withAppliedTopology { broker, configuration async throws in
      let (pool, delay) = (configuration.pools[0].name, configuration.retryTiers[0])
      let reader = DeliveryReader(broker.subscribe(pool: pool, capacity: 10)) { $0.acknowledge() }
      let start = ContinuousClock.now
      let outgoing = OutgoingJob(SampleJobs.full(), to: .retry(after: delay, pool: pool))
      #expect(await broker.enqueue([outgoing], deadline: .now + .seconds(20)) == [.enqueued])
      _ = try await reader.wait(for: 1)
      // The broker's clock counts whole milliseconds.
      #expect(ContinuousClock.now - start >= delay - .milliseconds(2))
    }
  }

  @Test func `a retry whose pool is gone does not block the others, and waits where it can be seen`() async throws {
    try await withAppliedTopology { broker, configuration async throws in
      let (pool, delay) = (configuration.pools[0].name, configuration.retryTiers[0])
      let lost = OutgoingJob(
        SampleJobs.full(), to: .retry(after: delay, pool: PoolName(rawValue: "\(pool).gone")))
      let other = OutgoingJob(SampleJobs.full(), to: .retry(after: delay, pool: pool))
      #expect(await broker.enqueue([lost, other], deadline: .now + .seconds(20)) == [.enqueued, .enqueued])
      let reader = DeliveryReader(broker.subscribe(pool: pool, capacity: 10)) { $0.acknowledge() }
      let arrived = try await reader.wait(for: 1)
      #expect(arrived.first?.envelope == other.envelope)
      // The queue of the unroutable is read as if it were a pool's; what others left there is requeued.
      let unroutable = broker.subscribe(pool: PoolName(rawValue: Topology.unroutable), capacity: 2_000)
      let found = Locked(false)
      let seen = DeliveryReader(unroutable) { delivery in
        guard delivery.envelope == lost.envelope else { return }
        delivery.acknowledge()
        found.change { $0 = true }
      }
      try await eventually("the retry of the removed pool is among the unroutable") { found.value }
      unroutable.cancel()
      try await seen.waitForEnd()
      for delivery in seen.deliveries where delivery.envelope != lost.envelope { delivery.requeue() }
    }
  }
}
