import ClientLoop
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PromiseTests {
  private struct Broken: Error, Equatable {}

  @Test func `a waiter that comes late gets the result at once`() async throws {
    let promise = Promise<Int>()
    #expect(promise.resolve(.success(7)))
    #expect(try await promise.wait() == 7)
    #expect(try await promise.wait() == 7)
  }

  @Test func `there is no result before the answer`() throws {
    let promise = Promise<Int>()
    #expect(promise.result == nil)
    promise.resolve(.success(1))
    #expect(try promise.result?.get() == 1)
  }

  @Test func `the first result counts`() async throws {
    let promise = Promise<Int>()
    #expect(promise.resolve(.success(1)))
    #expect(!promise.resolve(.success(2)))
    #expect(!promise.resolve(.failure(Broken())))
    #expect(try await promise.wait() == 1)
  }

  @Test func `one answer reaches all who wait`() async throws {
    let promise = Promise<String>()
    let begun = Locked(0)
    let answers = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 {
        group.addTask {
          begun.change { $0 += 1 }
          return try await promise.wait()
        }
      }
      try await eventually("all waiters have begun") { begun.value == 50 }
      promise.resolve(.success("yes"))
      var answers: [String] = []
      for try await answer in group { answers.append(answer) }
      return answers
    }
    #expect(answers == Array(repeating: "yes", count: 50))
  }

  @Test func `a failure reaches all who wait`() async {
    let promise = Promise<Int>()
    let waiters = (0..<5).map { _ in Task { try await promise.wait() } }
    promise.resolve(.failure(Broken()))
    for waiter in waiters { await #expect(throws: Broken()) { try await waiter.value } }
  }

  @Test func `a cancelled waiter leaves, and the others still get their answer`() async throws {
    let promise = Promise<Int>()
    let waiting = Task { try await promise.wait() }
    let cancelled = Task { try await promise.wait() }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    #expect(promise.result == nil)
    promise.resolve(.success(3))
    #expect(try await waiting.value == 3)
  }

  @Test func `a task that was cancelled before does not wait`() async throws {
    let promise = Promise<Int>()
    let gate = Promise<Void>()
    let late = Task {
      try? await gate.wait()  // ends early: the task is cancelled
      return try await promise.wait()
    }
    late.cancel()
    try await withTimeout(within: .seconds(5), "the cancelled waiter ends") {
      await #expect(throws: CancellationError.self) { try await late.value }
    }
  }

  @Test func `a known result is given even to a cancelled task`() async throws {
    let promise = Promise<Int>()
    promise.resolve(.success(9))
    let gate = Promise<Void>()
    let late = Task {
      try? await gate.wait()  // ends early: the task is cancelled
      #expect(Task.isCancelled)
      return try await promise.wait()
    }
    late.cancel()
    #expect(try await late.value == 9)
  }

  @Test func `answers and cancellations that race resume every waiter exactly once`() async {
    for round in 0..<300 {
      let promise = Promise<Int>()
      let waiters = (0..<4).map { _ in Task { try await promise.wait() } }
      await withDiscardingTaskGroup { group in
        group.addTask { promise.resolve(.success(round)) }
        for waiter in waiters.prefix(2) { group.addTask { waiter.cancel() } }
      }
      for (index, waiter) in waiters.enumerated() {
        switch await waiter.result {
        case .success(let value): #expect(value == round)
        case .failure(let error):
          #expect(error is CancellationError)
          #expect(index < 2, "this waiter was not cancelled")
        }
      }
    }
  }

  @Test func `one of several answers at the same moment wins`() async throws {
    let promise = Promise<Int>()
    let winners = Locked<[Int]>([])
    await withDiscardingTaskGroup { group in
      for number in 0..<20 {
        group.addTask { if promise.resolve(.success(number)) { winners.change { $0.append(number) } } }
      }
    }
    #expect(winners.value.count == 1)
    #expect(try await promise.wait() == winners.value.first)
  }
}
