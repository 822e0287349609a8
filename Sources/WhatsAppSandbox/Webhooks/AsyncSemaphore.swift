internal import Synchronization

/// A counting semaphore for tasks; waiters are resumed in order.
///
/// A cancelled waiter is not resumed early: the tasks that hold the semaphore are cancelled with it, and release it.
final class AsyncSemaphore: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// The index of the first waiter that has not been resumed.
    var next = 0

    mutating func dequeueWaiter() -> CheckedContinuation<Void, Never>? {
      guard next < waiting.count else {
        waiting = []
        next = 0
        return nil
      }
      let waiter = waiting[next]
      next += 1
      // Bounds the array; doing so each time would move all waiters.
      if next >= 1_024, next * 2 >= waiting.count {
        waiting.removeFirst(next)
        next = 0
      }
      return waiter
    }
  }
  private let state: Mutex<State>

  init(count: Int) { state = Mutex(State(free: count)) }

  func acquire() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let isFree: Bool = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  func release() {
    let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
      guard let waiter = state.dequeueWaiter() else {
        state.free += 1
        return nil
      }
      return waiter
    }
    waiter?.resume()
  }
}
