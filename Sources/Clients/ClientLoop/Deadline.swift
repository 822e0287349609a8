/// Thrown by ``withDeadline(_:_:)`` when the time ran out first.
package struct DeadlineExceeded: Error, CustomStringConvertible {
  /// The error itself carries nothing; whoever set the deadline knows what it was for.
  package init() {}

  /// The bare fact, safe to log.
  package var description: String { "the deadline passed" }
}

/// Runs `body` and gives up at the deadline: `body` is cancelled, awaited, and ``DeadlineExceeded`` thrown.
///
/// `body` must heed cancellation, or this waits as long as it does.
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
