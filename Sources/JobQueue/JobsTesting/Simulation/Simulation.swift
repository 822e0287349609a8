internal import ClientLoop
internal import Dispatch
package import Foundation
internal import Synchronization

/// Runs concurrent code on one thread, in an order and with a time that follow from a seed.
///
/// At each step one of the tasks that can run is drawn, and runs until it next waits. When none can run, the clock
/// jumps to the time at which the next task stops sleeping: a simulated hour costs nothing. Races that are rare on real
/// threads occur within some hundred seeds, and a seed that breaks a rule breaks it every time.
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
  /// The simulated time of day at the start.
  private static let startDate = Date(timeIntervalSince1970: 1_790_000_000)

  package init(seed: UInt64) {
    start = .now
    state = Mutex(State(now: start, random: SplitMix64(state: seed)))
  }

  /// Thrown when every task waits and none sleeps.
  struct Deadlock: Error, CustomStringConvertible {
    let description: String
  }

  /// The number of steps so far; every run of one seed takes as many.
  package var steps: Int { state.withLock { $0.steps } }

  /// Runs `body` and all tasks it starts to their end, on a thread of its own.
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
      let text = "every task waits and none sleeps after \(steps) steps and \(now - start)"
      result.resolve(.failure(Deadlock(description: text)))
    }
    thread.start()
    return try await result.wait()
  }

  /// Runs one task, or moves the clock; false: the simulation has ended.
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

  package var now: ContinuousClock.Instant { state.withLock { $0.now } }
  package var date: Date { Self.startDate.addingTimeInterval((now - start) / .seconds(1)) }
  package var executor: (any TaskExecutor)? { self }
  package func draw() -> UInt64 { state.withLock { $0.random.next() } }

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

  /// Called by the Swift runtime for a task that can run.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
  }
}

/// The generator of Steele, Lea and Flood (2014).
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
