internal import DequeModule
internal import Synchronization
internal import Wires

/// Where jobs that may have killed more than one process run one at a time, whatever their pool: if this process dies
/// too, only one of them can be to blame.
final class Quarantine: Sendable {
  private struct State {
    var isTaken = false
    var line = Deque<OneShot<Void>>()
  }
  private let state = Mutex(State())

  /// Runs `body` while nothing else is in quarantine, in order of arrival; false where the task is cancelled first.
  func alone(_ body: () async -> Void) async -> Bool {
    let turn = OneShot<Void>()
    state.withLock { state in
      if state.isTaken { state.line.append(turn) } else { turn.resolve() }
      state.isTaken = true
    }
    do { try await turn.wait() } catch {
      let cameAllTheSame = state.withLock { state in
        state.line.removeAll { $0 === turn }
        return turn.result != nil
      }
      if cameAllTheSame { next() }
      return false
    }
    await body()
    next()
    return true
  }

  private func next() {
    state.withLock { state in
      if let turn = state.line.popFirst() { turn.resolve() } else { state.isTaken = false }
    }
  }
}
