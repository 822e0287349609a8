internal import Jobs
internal import Postgres

extension PostgresError {
  /// The error as the ports name it. One that they have no name for, such as a refused statement, stays as it is.
  var portError: any Error {
    switch self {
    case .commitInDoubt: return JobStoreError.inDoubt
    case .deadlineExceeded: return JobStoreError.deadlineExceeded
    default: break
    }
    if isUnavailable { return JobStoreError.unavailable(description) }
    if isContention || wasCancelledByOthers { return JobStoreError.contention }
    return self
  }

  /// 57014: a statement timeout of the role or the database, or an operator's cancel. What this process cancels itself
  /// is never reported as 57014: its own deadline is ``deadlineExceeded``, a cancelled task a `CancellationError`.
  private var wasCancelledByOthers: Bool { sqlState == "57014" }

  /// True where a prepared statement no longer fits, as after a migration (0A000, cached plan must not change result
  /// type), or is gone (26000). The connection has dropped its prepared statements by then.
  var isStalePlan: Bool { sqlState == "0A000" || sqlState == "26000" }
}

/// How often in a row a statement whose plan is stale is run again: each connection of a pool may have such a plan.
/// 0A000 also means a feature that the server does not have, so it must end.
private let stalePlansMax = 20

/// Runs `body` and throws its PostgreSQL errors as the ports name them: callers of this module know no SQLSTATE. Where
/// a plan was stale, `body` runs again at once.
func withPortErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
  var stalePlans = 0
  while true {
    do { return try await body() } catch let error as PostgresError {
      guard error.isStalePlan, stalePlans < stalePlansMax else { throw error.portError }
      stalePlans += 1
    }
  }
}
