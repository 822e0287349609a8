internal import Synchronization

/// A result that becomes known once and may be awaited by several tasks: how a connection's thread answers its callers.
///
/// The first result counts; later ones are ignored. A waiter whose task is cancelled stops waiting with
/// `CancellationError`.
package final class Promise<Value: Sendable>: Sendable {
  private struct State {
    var result: Result<Value, any Error>?
    var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
    var nextWaiter = 0
  }
  private let state = Mutex(State())

  package init() {}

  /// nil: not known yet.
  package var result: Result<Value, any Error>? { state.withLock { $0.result } }

  /// Sets the result for present and later waiters. Returns false where there is one already.
  @discardableResult
  package func resolve(_ result: Result<Value, any Error>) -> Bool {
    let waiters: [CheckedContinuation<Value, any Error>]? = state.withLock { state in
      guard state.result == nil else { return nil }
      state.result = result
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    waiters?.forEach { $0.resume(with: result) }
    return waiters != nil
  }

  package func wait() async throws -> Value {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let known: Result<Value, any Error>? = state.withLock { state in
          if let result = state.result { return result }
          if Task.isCancelled { return .failure(CancellationError()) }
          state.waiters[id] = continuation
          return nil
        }
        if let known { continuation.resume(with: known) }
      }
    } onCancel: {
      let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
      waiter?.resume(throwing: CancellationError())
    }
  }
}

extension Promise where Value == Void {
  @discardableResult
  package func resolve() -> Bool { resolve(.success(())) }
}
