internal import Synchronization

/// The port the sandbox listens on, with tasks that wait for it.
final class ListeningPort: Sendable {
  private enum State {
    case unknown([AsyncStream<Int>.Continuation])
    case known(Int)
    case ended
  }
  private let state = Mutex(State.unknown([]))

  /// Waits until the sandbox listens; throws where it ended first or the task is cancelled.
  func wait() async throws -> Int {
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    state.withLock { state in
      if case .unknown(let waiting) = state {
        state = .unknown(waiting + [continuation])
        return
      }
      if case .known(let port) = state { continuation.yield(port) }
      continuation.finish()
    }
    for await port in ports { return port }
    try Task.checkCancellation()
    throw SandboxNotListening()
  }

  func resolve(_ port: Int) {
    for continuation in waiters(next: .known(port)) { continuation.yield(port) }
  }

  func end() {
    for continuation in waiters(next: .ended) { continuation.finish() }
  }

  private func waiters(next: State) -> [AsyncStream<Int>.Continuation] {
    state.withLock { state in
      defer { state = next }
      guard case .unknown(let waiting) = state else { return [] }
      return waiting
    }
  }
}

/// The sandbox has ended, so that it has no port.
struct SandboxNotListening: Error, CustomStringConvertible {
  var description: String { "the sandbox has ended; see the error of its run()" }
}
