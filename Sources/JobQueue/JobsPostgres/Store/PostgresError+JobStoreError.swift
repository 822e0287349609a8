internal import Jobs
internal import Postgres

extension PostgresError {
  /// The error as the ports name it. One that they have no name for, such as a refused statement, stays as it is.
  var portError: any Error {
    if case .commitInDoubt = self { return JobStoreError.inDoubt }
    if isUnavailable { return JobStoreError.unavailable(description) }
    if isContention { return JobStoreError.contention }
    return self
  }
}

/// Runs `body` and throws its PostgreSQL errors as the ports name them: callers of this module know no SQLSTATE.
func withPortErrors<Value>(_ body: () async throws -> Value) async throws -> Value {
  do { return try await body() } catch let error as PostgresError { throw error.portError }
}
