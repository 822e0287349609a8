/// Polls `condition` until it holds; throws ``TestError`` with `what` after `limit`.
package func eventually(
  within limit: Duration = .seconds(10), every interval: Duration = .milliseconds(5), _ what: String,
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < end else { throw TestError(description: "not within \(limit): \(what)") }
    try await Task.sleep(for: interval)
  }
}

/// Runs `body` in a task of its own and waits at most `limit`, so that code that hangs fails its test instead of
/// blocking it.
@discardableResult
package func withTimeout<Value: Sendable>(
  within limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  let finished = Locked<Result<Value, any Error>?>(nil)
  let task = Task {
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    finished.change { $0 = result }
  }
  defer { task.cancel() }
  try await eventually(within: limit, what) { finished.value != nil }
  guard let result = finished.value else { throw TestError(description: what) }
  return try result.get()
}

/// How long `body` took.
package func duration(of body: () async throws -> Void) async rethrows -> Duration {
  let start = ContinuousClock.now
  try await body()
  return ContinuousClock.now - start
}
