/// Where jobs go that wait for a pool which is gone, or no longer does them: to the pool that does their kind now.
///
/// It knows routes only; moving is the adapters' affair.
package struct ReroutePlan: Sendable, Equatable {
  /// What becomes of one job.
  package enum Decision: Sendable, Equatable {
    /// It goes to this pool.
    case reroute(to: PoolName)
    /// It stays where it is.
    case keep(Reason)
  }

  /// Why a job stays where it is.
  package enum Reason: Sendable, Hashable, CustomStringConvertible {
    /// Its message names no kind.
    case noKind
    /// No pool does jobs of its kind.
    case noPool(JobKind)
    /// Jobs of its kind are done by a pool other than the one that was asked for.
    case otherPool(JobKind, PoolName)
    /// It cannot be passed on as it came.
    case unknownHeaders

    /// What the reason means for a job, in words that follow a number of jobs.
    package var description: String {
      switch self {
      case .noKind: "without a kind"
      case .noPool(let kind): "of kind \(kind), which no pool of queues.yaml does"
      case .otherPool(let kind, let pool): "of kind \(kind), which \(pool) does"
      case .unknownHeaders: "with headers that this program cannot pass on"
      }
    }
  }

  private let routes: [JobKind: PoolName]
  private let only: PoolName?

  /// - Parameter routes: which pool does which kind, as queues.yaml says.
  /// - Parameter only: the one pool that jobs may go to; nil: any.
  package init(routes: [JobKind: PoolName], to only: PoolName? = nil) {
    self.routes = routes
    self.only = only
  }

  /// What becomes of a waiting job. A pool gets no job that it would bury at once as one of an unknown kind.
  package func decision(for kind: JobKind?) -> Decision {
    guard let kind else { return .keep(.noKind) }
    guard let pool = routes[kind] else { return .keep(.noPool(kind)) }
    guard only == nil || only == pool else { return .keep(.otherPool(kind, pool)) }
    return .reroute(to: pool)
  }

  /// What becomes of a dead letter. A pool that was asked for by name gets all of them, whatever their kind: there
  /// they can be looked at, and nothing runs before an operator says so.
  package func decision(forDeadLetterOf kind: JobKind?) -> Decision {
    if let only { return .reroute(to: only) }
    return decision(for: kind)
  }

  /// The pools that may get jobs of `source`, each with the kinds it does, in the order of their names.
  package func destinations(from source: PoolName) -> [(pool: PoolName, kinds: [JobKind])] {
    let pools = Set(routes.values).filter { $0 != source && (only == nil || only == $0) }
    return pools.sorted().map { pool in
      (pool: pool, kinds: routes.filter { $0.value == pool }.keys.sorted { $0.rawValue < $1.rawValue })
    }
  }
}
