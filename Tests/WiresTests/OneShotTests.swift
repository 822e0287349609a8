import TestServers
import Testing
import Wires

@Suite(.timeLimit(.minutes(1)))
struct OneShotTests {
  private struct Broken: Error, Equatable {}

  @Test func `a waiter that comes late gets the result at once`() async throws {
    let question = OneShot<Int>()
    #expect(question.resolve(.success(7)))
    #expect(try await question.wait() == 7)
    #expect(try await question.wait() == 7)
  }

  @Test func `there is no result before the answer`() throws {
    let question = OneShot<Int>()
    #expect(question.result == nil)
    question.resolve(.success(1))
    #expect(try question.result?.get() == 1)
  }

  @Test func `the first result counts`() async throws {
    let question = OneShot<Int>()
    #expect(question.resolve(.success(1)))
    #expect(!question.resolve(.success(2)))
    #expect(!question.resolve(.failure(Broken())))
    #expect(try await question.wait() == 1)
  }

  @Test func `one answer reaches all who wait`() async throws {
    let question = OneShot<String>()
    let begun = Locked(0)
    let answers = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<50 {
        group.addTask {
          begun.change { $0 += 1 }
          return try await question.wait()
        }
      }
      try await eventually("all waiters have begun") { begun.value == 50 }
      question.resolve(.success("yes"))
      var answers: [String] = []
      for try await answer in group { answers.append(answer) }
      return answers
    }
    #expect(answers == Array(repeating: "yes", count: 50))
  }

  @Test func `a failure reaches all who wait`() async {
    let question = OneShot<Int>()
    let waiters = (0..<5).map { _ in Task { try await question.wait() } }
    question.resolve(.failure(Broken()))
    for waiter in waiters { await #expect(throws: Broken()) { try await waiter.value } }
  }

  @Test func `a cancelled waiter leaves alone, and the others still get their answer`() async throws {
    let question = OneShot<Int>()
    let patient = Task { try await question.wait() }
    let hasty = Task { try await question.wait() }
    hasty.cancel()
    await #expect(throws: CancellationError.self) { try await hasty.value }
    #expect(question.result == nil)
    question.resolve(.success(3))
    #expect(try await patient.value == 3)
  }

  @Test func `a task that was cancelled before does not wait`() async throws {
    let question = OneShot<Int>()
    let gate = OneShot<Void>()
    let late = Task {
      try? await gate.wait()  // ends early: the task is cancelled
      return try await question.wait()
    }
    late.cancel()
    try await answer(within: .seconds(5), "the cancelled waiter ends") {
      await #expect(throws: CancellationError.self) { try await late.value }
    }
  }

  @Test func `a known result is given even to a cancelled task`() async throws {
    let question = OneShot<Int>()
    question.resolve(.success(9))
    let gate = OneShot<Void>()
    let late = Task {
      try? await gate.wait()  // ends early: the task is cancelled
      #expect(Task.isCancelled)
      return try await question.wait()
    }
    late.cancel()
    #expect(try await late.value == 9)
  }

  @Test func `answers and cancellations that race resume every waiter exactly once`() async {
    for round in 0..<300 {
      let question = OneShot<Int>()
      let waiters = (0..<4).map { _ in Task { try await question.wait() } }
      await withDiscardingTaskGroup { group in
        group.addTask { question.resolve(.success(round)) }
        for waiter in waiters.prefix(2) { group.addTask { waiter.cancel() } }
      }
      for (index, waiter) in waiters.enumerated() {
        switch await waiter.result {
        case .success(let value): #expect(value == round)
        case .failure(let error):
          #expect(error is CancellationError)
          #expect(index < 2, "nobody cancelled this waiter")
        }
      }
    }
  }

  @Test func `one of several answers at the same moment wins`() async throws {
    let question = OneShot<Int>()
    let winners = Locked<[Int]>([])
    await withDiscardingTaskGroup { group in
      for number in 0..<20 {
        group.addTask { if question.resolve(.success(number)) { winners.change { $0.append(number) } } }
      }
    }
    #expect(winners.value.count == 1)
    #expect(try await question.wait() == winners.value.first)
  }
}
