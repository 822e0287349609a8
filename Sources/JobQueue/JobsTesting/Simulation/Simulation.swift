internal import ClientLoop
internal import Dispatch
package import Foundation
internal import Synchronization

/// Runs concurrent code on one thread, in an order and with a time that follow from a seed.
///
/// At each step one of the tasks that could go on is drawn and runs until it next waits. When none can, the clock jumps
/// to the next sleeper's instant: a simulated hour costs nothing. What would take luck or load on real threads is met
/// within some hundred seeds, and a seed that breaks a rule breaks it again.
package final class Simulation: TimeProvider, TaskExecutor {
  private struct Sleeper {
    let until: ContinuousClock.Instant
    let id: Int
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var jobs: [UnownedJob] = []
    var sleepers: [Sleeper] = []
    var cancelledSleepers: Set<Int> = []
    var now: ContinuousClock.Instant
    var random: SplitMix64
    var lastSleeper = 0
    var steps = 0
    var isOver = false
  }

  private let state: Mutex<State>
  private let start: ContinuousClock.Instant
  /// The simulated time of day at the beginning.
  package static let startDate = Date(timeIntervalSince1970: 1_790_000_000)

  /// A simulation that has not begun.
  package init(seed: UInt64) {
    start = .now
    state = Mutex(State(now: start, random: SplitMix64(state: seed)))
  }

  /// Thrown where every task waits for something that cannot happen any more.
  package struct Deadlock: Error, CustomStringConvertible {
    /// After how many steps, and how much simulated time.
    package let description: String
  }

  /// How many steps were taken so far: two runs of one seed take as many.
  package var steps: Int { state.withLock { $0.steps } }

  /// Runs `body` and all it starts to its end, on a thread of its own.
  package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let result = Promise<Value>()
    TimeSource.$value.withValue(self) {
      _ = Task(executorPreference: self) {
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        self.state.withLock { $0.isOver = true }
        result.resolve(outcome)
      }
    }
    let thread = Thread { [self] in
      while step() {}
      let (isOver, steps, now) = state.withLock { ($0.isOver, $0.steps, $0.now) }
      guard !isOver else { return }
      let text = "nothing can happen any more after \(steps) steps and \(now - start)"
      result.resolve(.failure(Deadlock(description: text)))
    }
    thread.start()
    return try await result.wait()
  }

  /// Lets one task go on, or the clock; false at the end.
  private func step() -> Bool {
    let (job, sleeper): (UnownedJob?, Sleeper?) = state.withLock { state in
      guard !state.isOver else { return (nil, nil) }
      state.steps += 1
      if !state.jobs.isEmpty {
        let index = Int(state.random.next() % UInt64(state.jobs.count))
        return (state.jobs.remove(at: index), nil)
      }
      guard let next = state.sleepers.indices.min(by: { Self.isBefore(state.sleepers[$0], state.sleepers[$1]) }) else {
        return (nil, nil)
      }
      let sleeper = state.sleepers.remove(at: next)
      state.now = max(state.now, sleeper.until)
      return (nil, sleeper)
    }
    job?.runSynchronously(on: asUnownedTaskExecutor())
    sleeper?.continuation.resume()
    return job != nil || sleeper != nil
  }

  private static func isBefore(_ one: Sleeper, _ other: Sleeper) -> Bool {
    (one.until, one.id) < (other.until, other.id)
  }

  // MARK: TimeProvider

  /// The simulated clock.
  package var now: ContinuousClock.Instant { state.withLock { $0.now } }
  /// The simulated time of day.
  package var date: Date { Self.startDate.addingTimeInterval((now - start) / .seconds(1)) }
  /// The simulation itself.
  package var executor: (any TaskExecutor)? { self }
  /// Sixty-four bits that follow from the seed and all draws before.
  package func draw() -> UInt64 { state.withLock { $0.random.next() } }

  /// Waits in simulated time.
  package func sleep(until deadline: ContinuousClock.Instant) async throws {
    let id = state.withLock { state in
      state.lastSleeper += 1
      return state.lastSleeper
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if Task.isCancelled || state.cancelledSleepers.remove(id) != nil { return true }
          state.sleepers.append(Sleeper(until: deadline, id: id, continuation: continuation))
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { state -> Sleeper? in
        guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
          state.cancelledSleepers.insert(id)
          return nil
        }
        return state.sleepers.remove(at: index)
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
    state.withLock { _ = $0.cancelledSleepers.remove(id) }
  }

  // MARK: TaskExecutor

  /// Queues a task that can go on. Called by the Swift runtime.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
  }
}

/// Steele, Lea and Flood's generator: small, fast, and good enough to draw schedules from.
struct SplitMix64: RandomNumberGenerator, Sendable {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }
}
