internal import ClientLoop
internal import DequeModule
internal import Synchronization

/// Where jobs that may have killed more than one process run one at a time, whatever their pool: if this process dies
/// too, only one of them can be to blame.
final class PoisonJobLock: Sendable {
  private struct State {
    var isHeld = false
    var waiters = Deque<Promise<Void>>()
  }
  private let state = Mutex(State())

  /// Runs `body` while nothing else is in quarantine, in order of arrival; false where the task is cancelled first.
  func withLock(_ body: () async -> Void) async -> Bool {
    let waiter = Promise<Void>()
    state.withLock { state in
      if state.isHeld { state.waiters.append(waiter) } else { waiter.resolve() }
      state.isHeld = true
    }
    do { try await waiter.wait() } catch {
      let wasResolved = state.withLock { state in
        state.waiters.removeAll { $0 === waiter }
        return waiter.result != nil
      }
      if wasResolved { unlock() }
      return false
    }
    await body()
    unlock()
    return true
  }

  private func unlock() {
    state.withLock { state in
      if let waiter = state.waiters.popFirst() { waiter.resolve() } else { state.isHeld = false }
    }
  }
}
