package import Jobs

/// The contents of queues.yaml.
package struct JobConfiguration: Sendable, Equatable {
  /// The delays that the broker can keep a job for, shortest first.
  package var retryTiers: [Duration]
  /// In the file's order.
  package var pools: [PoolConfiguration]

  /// Checks nothing; ``init(yaml:file:workers:)`` does.
  package init(retryTiers: [Duration], pools: [PoolConfiguration]) {
    self.retryTiers = retryTiers
    self.pools = pools
  }

  /// The pool that indexes dead letters; every file has it, and it takes no job kinds.
  package static let deadLetterPool: PoolName = "dead.letters"

  package func pool(_ name: PoolName) -> PoolConfiguration? { pools.first { $0.name == name } }

  /// All pools but ``deadLetterPool``.
  package var workingPools: [PoolConfiguration] { pools.filter { $0.name != Self.deadLetterPool } }

  /// Pools of whose accepted jobs no body is recorded.
  package var bodilessPools: [PoolName] { pools.filter { !$0.recordsBodies }.map(\.name) }

  /// Which pool does which kind.
  package var routes: [JobKind: PoolName] {
    var routes: [JobKind: PoolName] = [:]
    for pool in pools { for kind in pool.jobs { routes[kind] = pool.name } }
    return routes
  }
}
