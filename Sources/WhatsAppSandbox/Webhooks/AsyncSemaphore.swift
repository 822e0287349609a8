internal import Synchronization

/// Lets a limited number of tasks in at a time; the others wait in line.
///
/// A waiter whose task is cancelled still waits its turn: whoever is inside is cancelled with it, and leaves.
final class AsyncSemaphore: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// Those before this place have been let in.
    var next = 0

    mutating func dequeueWaiter() -> CheckedContinuation<Void, Never>? {
      guard next < waiting.count else {
        waiting = []
        next = 0
        return nil
      }
      let waiter = waiting[next]
      next += 1
      // Now and then, lest the line grow for ever; not each time, for that moves all of it.
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
