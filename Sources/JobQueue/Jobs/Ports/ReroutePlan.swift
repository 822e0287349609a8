/// Decides where to move jobs of a pool that is gone, or no longer does their kind: to the pool that does it now.
package struct ReroutePlan: Sendable, Equatable {
  package enum Decision: Sendable, Equatable {
    case reroute(to: PoolName)
    case keep(Reason)
  }

  package enum Reason: Sendable, Hashable, CustomStringConvertible {
    /// The message has no kind.
    case noKind
    /// No pool does jobs of its kind.
    case noPool(JobKind)
    /// Another pool does jobs of its kind than the one that was asked for.
    case otherPool(JobKind, PoolName)
    /// The message has headers that this program cannot copy.
    case unknownHeaders
    /// The message is larger than this program or the broker takes.
    case tooLarge

    /// Continues a sentence that begins with a number of jobs.
    package var description: String {
      switch self {
      case .noKind: "without a kind"
      case .noPool(let kind): "of kind \(kind), which no pool of queues.yaml does"
      case .otherPool(let kind, let pool): "of kind \(kind), which \(pool) does"
      case .unknownHeaders: "with headers that this program cannot pass on"
      case .tooLarge: "too large to be passed on"
      }
    }
  }

  private let routes: [JobKind: PoolName]
  private let only: PoolName?

  /// - Parameter routes: the pool of each kind, from queues.yaml.
  /// - Parameter only: the only pool that jobs may move to; nil: any.
  package init(routes: [JobKind: PoolName], to only: PoolName? = nil) {
    self.routes = routes
    self.only = only
  }

  /// Keeps a job that the pool would dead-letter at once as one of an unknown kind.
  package func decision(for kind: JobKind?) -> Decision {
    guard let kind else { return .keep(.noKind) }
    guard let pool = routes[kind] else { return .keep(.noPool(kind)) }
    guard only == nil || only == pool else { return .keep(.otherPool(kind, pool)) }
    return .reroute(to: pool)
  }

  /// A pool that was asked for by name gets all dead letters, whatever their kind: they run only after an operator
  /// retries them.
  package func decision(forDeadLetterOf kind: JobKind?) -> Decision {
    if let only { return .reroute(to: only) }
    return decision(for: kind)
  }

  /// The pools that jobs of `source` may move to, by name, each with its kinds.
  package func destinations(from source: PoolName) -> [(pool: PoolName, kinds: [JobKind])] {
    let pools = Set(routes.values).filter { $0 != source && (only == nil || only == $0) }
    return pools.sorted().map { pool in
      (pool: pool, kinds: routes.filter { $0.value == pool }.keys.sorted { $0.rawValue < $1.rawValue })
    }
  }
}
