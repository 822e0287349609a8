internal import DequeModule
internal import Synchronization

/// A counting semaphore for tasks: permits are granted in order of arrival, some callers need more than one.
///
/// A later caller never gets permits before an earlier one, even if the earlier one needs more than are free.
package final class AsyncSemaphore: Sendable {
  private struct Waiter {
    let id: Int
    let count: Int
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var free: Int
    var waiters = Deque<Waiter>()
    var nextID = 0
    var closeError: (any Error)?

    mutating func tryAcquire(_ count: Int) -> Bool {
      guard waiters.isEmpty, free >= count else { return false }
      free -= count
      return true
    }

    /// Takes out the waiters that get their permits now. Whoever takes a waiter out resumes it, after the lock.
    mutating func grant() -> [Waiter] {
      var granted: [Waiter] = []
      while let head = waiters.first, head.count <= free {
        free -= head.count
        granted.append(waiters.removeFirst())
      }
      return granted
    }
  }

  private let permits: Int
  private let state: Mutex<State>

  package init(permits: Int) {
    precondition(permits > 0, "a semaphore has at least one permit")
    self.permits = permits
    state = Mutex(State(free: permits))
  }

  /// How many callers wait.
  package var waiterCount: Int { state.withLock { $0.waiters.count } }

  /// Waits for the permits; free ones are granted also where the deadline has passed (nil: there is none).
  ///
  /// Throws `CancellationError`, ``DeadlineExceeded``, or the error of ``close(throwing:)``; then nothing was acquired.
  /// Permits that are granted in the instant of a cancellation or of the deadline stay granted: this returns.
  package func acquire(_ count: Int = 1, until deadline: ContinuousClock.Instant? = nil) async throws {
    precondition((1...permits).contains(count), "more permits than there are would never be granted")
    try Task.checkCancellation()
    let waiterID: Int? = try state.withLock { state in
      if let error = state.closeError { throw error }
      if state.tryAcquire(count) { return nil }
      state.nextID += 1
      return state.nextID
    }
    guard let id = waiterID else { return }
    guard let deadline else { return try await wait(id, count, nil) }
    async let _ = expire(id, at: deadline)  // cancelled when this returns
    try await wait(id, count, deadline)
  }

  /// Takes the permits where they are free and no caller waits; never waits.
  package func tryAcquire(_ count: Int = 1) -> Bool {
    state.withLock { $0.closeError == nil && $0.tryAcquire(count) }
  }

  package func release(_ count: Int = 1) {
    let granted = state.withLock { state in
      state.free += count
      assert(state.free <= permits, "permits were released that were not acquired")
      return state.grant()
    }
    for waiter in granted { waiter.continuation.resume() }
  }

  /// Runs `body` with the permits.
  package func withPermits<Value>(
    _ count: Int = 1, until deadline: ContinuousClock.Instant? = nil, _ body: () async throws -> Value
  ) async throws -> Value {
    try await acquire(count, until: deadline)
    defer { release(count) }
    return try await body()
  }

  /// Fails all waiting and later calls of ``acquire(_:until:)`` with the error; permits may still be released.
  package func close(throwing error: any Error) {
    let waiters = state.withLock { state in
      if state.closeError == nil { state.closeError = error }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.continuation.resume(throwing: error) }
  }

  private func wait(_ id: Int, _ count: Int, _ deadline: ContinuousClock.Instant?) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let known: Result<Void, any Error>? = state.withLock { state in
          if let error = state.closeError { return .failure(error) }
          if state.tryAcquire(count) { return .success(()) }
          // Both may have fired before there was a waiter to take out.
          if Task.isCancelled { return .failure(CancellationError()) }
          if let deadline, deadline <= TimeSource.now { return .failure(DeadlineExceeded()) }
          state.waiters.append(Waiter(id: id, count: count, continuation: continuation))
          return nil
        }
        if let known { continuation.resume(with: known) }
      }
    } onCancel: {
      fail(id, CancellationError())
    }
  }

  private func expire(_ id: Int, at deadline: ContinuousClock.Instant) async {
    guard (try? await TimeSource.value.sleep(until: deadline)) != nil else { return }
    fail(id, DeadlineExceeded())
  }

  private func fail(_ id: Int, _ error: any Error) {
    let (waiter, granted) = state.withLock { state in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return (Waiter?.none, [Waiter]()) }
      let waiter = state.waiters.remove(at: index)
      // It may have held up others that need less.
      return (waiter, state.grant())
    }
    waiter?.continuation.resume(throwing: error)
    for waiter in granted { waiter.continuation.resume() }
  }
}
