/// Where jobs go that wait for a pool which is gone, or no longer does them: to the pool that does their kind now.
///
/// It knows routes only; moving is the adapters' affair.
public struct JobMovePlan: Sendable, Equatable {
  /// What becomes of one job.
  public enum Verdict: Sendable, Equatable {
    /// It goes to this pool.
    case goes(to: PoolName)
    /// It stays where it is.
    case stays(Reason)
  }

  /// Why a job stays where it is.
  public enum Reason: Sendable, Hashable, CustomStringConvertible {
    /// Its message names no kind.
    case noKind
    /// No pool does jobs of its kind.
    case nobodyDoes(JobKind)
    /// Jobs of its kind are done by a pool other than the one that was asked for.
    case doneElsewhere(JobKind, PoolName)
    /// It cannot be passed on as it came.
    case notWhole

    /// What the reason means for a job, in words that follow a number of jobs.
    public var description: String {
      switch self {
      case .noKind: "without a kind"
      case .nobodyDoes(let kind): "of kind \(kind), which no pool of queues.yaml does"
      case .doneElsewhere(let kind, let pool): "of kind \(kind), which \(pool) does"
      case .notWhole: "with headers that this program cannot pass on"
      }
    }
  }

  private let routes: [JobKind: PoolName]
  private let only: PoolName?

  /// - Parameter routes: which pool does which kind, as queues.yaml says.
  /// - Parameter only: the one pool that jobs may go to; nil: any.
  public init(routes: [JobKind: PoolName], to only: PoolName? = nil) {
    self.routes = routes
    self.only = only
  }

  /// What becomes of a waiting job. A pool gets no job that it would bury at once as one of an unknown kind.
  public func verdict(for kind: JobKind?) -> Verdict {
    guard let kind else { return .stays(.noKind) }
    guard let pool = routes[kind] else { return .stays(.nobodyDoes(kind)) }
    guard only == nil || only == pool else { return .stays(.doneElsewhere(kind, pool)) }
    return .goes(to: pool)
  }

  /// What becomes of a dead letter. A pool that was asked for by name gets all of them, whatever their kind: there
  /// they can be looked at, and nothing runs before an operator says so.
  public func verdict(forLetterOf kind: JobKind?) -> Verdict {
    if let only { return .goes(to: only) }
    return verdict(for: kind)
  }

  /// The pools that may get jobs of `source`, each with the kinds it does, in the order of their names.
  public func targets(from source: PoolName) -> [(pool: PoolName, kinds: [JobKind])] {
    let pools = Set(routes.values).filter { $0 != source && (only == nil || only == $0) }
    return pools.sorted().map { pool in
      (pool: pool, kinds: routes.filter { $0.value == pool }.keys.sorted { $0.rawValue < $1.rawValue })
    }
  }
}
