/// Thrown by ``withDeadline(_:_:)`` when the time ran out first.
package struct DeadlineExceeded: Error, CustomStringConvertible {
  package init() {}

  package var description: String { "the deadline passed" }
}

/// Runs `body` until the deadline; then `body` is cancelled and awaited, and ``DeadlineExceeded`` thrown.
///
/// A `body` that ignores cancellation delays the error until it returns.
package func withDeadline<Value: Sendable>(
  _ deadline: ContinuousClock.Instant,
  _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await TimeSource.value.sleep(until: deadline)
      return nil
    }
    defer { group.cancelAll() }
    while let first = try await group.next() {
      guard let value = first else { throw DeadlineExceeded() }
      return value
    }
    throw CancellationError()
  }
}
