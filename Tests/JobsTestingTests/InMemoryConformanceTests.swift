import Jobs
import JobsTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InMemoryConformanceTests {
  @Test(arguments: LedgerConformance<InMemoryLedger>.rules)
  func `the ledger in memory keeps the rule`(_ rule: ConformanceRule<LedgerConformance<InMemoryLedger>>) async throws {
    let ledger = InMemoryLedger()
    try await rule.check(LedgerConformance(ledger: ledger, record: { $0.record($1) }, effects: { ledger.effects }))
  }

  @Test(arguments: BrokerConformance.rules)
  func `the broker in memory keeps the rule`(_ rule: ConformanceRule<BrokerConformance>) async throws {
    let broker = InMemoryBroker(pools: ["one", "two"], tiers: [.seconds(1)])
    try await rule.check(
      BrokerConformance(
        broker: broker, pools: ("one", "two"), tier: .seconds(1), releaseRetries: { broker.releaseRetries() }))
  }

  @Test(arguments: DeadLetterConformance<InMemoryLedger>.rules)
  func `the dead letters' index in memory keeps the rule`(
    _ rule: ConformanceRule<DeadLetterConformance<InMemoryLedger>>
  ) async throws {
    let ledger = InMemoryLedger()
    try await rule.check(DeadLetterConformance(ledger: ledger, index: InMemoryDeadLetterIndex(ledger: ledger)))
  }

  @Test(arguments: PoolDirectoryConformance.rules)
  func `the pool directory in memory keeps the rule`(_ rule: ConformanceRule<PoolDirectoryConformance>) async throws {
    try await rule.check(PoolDirectoryConformance(directory: InMemoryPoolDirectory()))
  }
}
