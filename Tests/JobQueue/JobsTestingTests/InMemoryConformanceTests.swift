import Jobs
import JobsTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InMemoryConformanceTests {
  @Test(arguments: JobStoreConformance<InMemoryJobStore>.rules)
  func `the store in memory keeps the rule`(_ rule: ConformanceRule<JobStoreConformance<InMemoryJobStore>>) async throws
  {
    let store = InMemoryJobStore()
    try await rule.check(
      JobStoreConformance(
        store: store, record: { $0.record($1) }, effects: { store.effects },
        accepted: { store.acceptedJobs.map(\.envelope.jobRun) }))
  }

  @Test(arguments: BrokerConformance.rules)
  func `the broker in memory keeps the rule`(_ rule: ConformanceRule<BrokerConformance>) async throws {
    let broker = InMemoryBroker(pools: ["one", "two"], tiers: [.seconds(1)])
    try await rule.check(
      BrokerConformance(
        broker: broker, pools: ("one", "two"), tier: .seconds(1), releaseRetries: { broker.releaseRetries() }))
  }

  @Test(arguments: DeadLetterConformance<InMemoryJobStore>.rules)
  func `the dead letter index in memory keeps the rule`(
    _ rule: ConformanceRule<DeadLetterConformance<InMemoryJobStore>>
  ) async throws {
    let store = InMemoryJobStore()
    try await rule.check(DeadLetterConformance(store: store, index: InMemoryDeadLetterIndex(store: store)))
  }

  @Test(arguments: PoolDirectoryConformance.rules)
  func `the pool directory in memory keeps the rule`(_ rule: ConformanceRule<PoolDirectoryConformance>) async throws {
    try await rule.check(PoolDirectoryConformance(directory: InMemoryPoolDirectory()))
  }
}
