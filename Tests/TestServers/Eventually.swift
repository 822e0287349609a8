/// Thrown where something that a test waits for did not happen in time.
package struct TestError: Error, CustomStringConvertible {
  /// What did not happen, and how long it was waited for.
  package let description: String

  /// A failure with these words.
  package init(description: String) { self.description = description }
}

/// Polls `condition` every few milliseconds until it holds; throws ``TestError`` with `what` after `limit`.
package func eventually(
  within limit: Duration = .seconds(10), every pause: Duration = .milliseconds(5), _ what: String,
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < end else { throw TestError(description: "not within \(limit): \(what)") }
    try await Task.sleep(for: pause)
  }
}

/// Runs `body` in a task of its own and waits for `limit` at most, so that code that hangs fails its test instead of holding it up.
@discardableResult
package func answer<Value: Sendable>(
  within limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  let answered = Locked<Result<Value, any Error>?>(nil)
  let task = Task {
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    answered.change { $0 = result }
  }
  defer { task.cancel() }
  try await eventually(within: limit, what) { answered.value != nil }
  guard let result = answered.value else { throw TestError(description: what) }
  return try result.get()
}

/// How long `body` took.
package func duration(of body: () async throws -> Void) async rethrows -> Duration {
  let start = ContinuousClock.now
  try await body()
  return ContinuousClock.now - start
}
