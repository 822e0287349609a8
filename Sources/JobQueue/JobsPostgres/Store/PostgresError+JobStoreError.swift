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
}

/// Runs `body` and throws its PostgreSQL errors as the ports name them: callers of this module know no SQLSTATE.
func withPortErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
  do { return try await body() } catch let error as PostgresError { throw error.portError }
}
