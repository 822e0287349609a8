internal import Synchronization

/// The port the sandbox listens on, for those who wait for it.
final class ListeningPort: Sendable {
  private enum State {
    case unknown([AsyncStream<Int>.Continuation])
    case known(Int)
    case ended
  }
  private let state = Mutex(State.unknown([]))

  /// Waits until the sandbox listens; throws where it ended first, or the task is cancelled.
  func wait() async throws -> Int {
    let (ports, inlet) = AsyncStream<Int>.makeStream()
    state.withLock { state in
      if case .unknown(let waiting) = state {
        state = .unknown(waiting + [inlet])
        return
      }
      if case .known(let port) = state { inlet.yield(port) }
      inlet.finish()
    }
    for await port in ports { return port }
    try Task.checkCancellation()
    throw SandboxNotListening()
  }

  /// The sandbox listens.
  func resolve(_ port: Int) {
    for inlet in waiters(next: .known(port)) { inlet.yield(port) }
  }

  /// The sandbox listens no longer.
  func end() {
    for inlet in waiters(next: .ended) { inlet.finish() }
  }

  private func waiters(next: State) -> [AsyncStream<Int>.Continuation] {
    state.withLock { state in
      defer { state = next }
      guard case .unknown(let waiting) = state else { return [] }
      return waiting
    }
  }
}

/// Thrown to those who wait for the port of a sandbox that has ended.
struct SandboxNotListening: Error, CustomStringConvertible {
  var description: String { "the sandbox ended; what its run() threw says why" }
}
