import ClientLoop
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct AsyncSemaphoreTests {
  private struct Closed: Error, Equatable {}

  private let semaphore = AsyncSemaphore(permits: 3)

  /// A task that acquires, once it waits.
  private func waiter(_ count: Int = 1, until deadline: ContinuousClock.Instant? = nil) async throws -> Task<
    Void, any Error
  > {
    let before = semaphore.waiterCount
    let task = Task { try await semaphore.acquire(count, until: deadline) }
    try await eventually("the task waits") { semaphore.waiterCount == before + 1 }
    return task
  }

  @Test func `there are as many permits as were made, and released ones are used again`() async throws {
    for _ in 0..<3 { try await semaphore.acquire() }
    #expect(!semaphore.tryAcquire())
    semaphore.release()
    #expect(semaphore.tryAcquire())
    #expect(!semaphore.tryAcquire())
  }

  @Test func `callers get permits in order of arrival`() async throws {
    try await semaphore.acquire(3)
    let order = Locked<[Int]>([])
    var tasks: [Task<Void, any Error>] = []
    for number in 0..<5 {
      tasks.append(
        Task {
          try await semaphore.acquire(3)
          order.change { $0.append(number) }
          semaphore.release(3)
        })
      try await eventually("the task waits") { semaphore.waiterCount == number + 1 }
    }
    semaphore.release(3)
    for task in tasks { try await task.value }
    #expect(order.value == [0, 1, 2, 3, 4])
  }

  @Test func `a caller that needs many is not overtaken by one that needs few`() async throws {
    try await semaphore.acquire(2)
    let heavy = try await waiter(3)
    let light = try await waiter(1)
    #expect(!semaphore.tryAcquire(), "one is free, but callers wait")
    semaphore.release(2)
    try await heavy.value
    #expect(semaphore.waiterCount == 1)
    semaphore.release(3)
    try await light.value
  }

  @Test func `when the head is cancelled those behind it that fit are served`() async throws {
    try await semaphore.acquire(2)
    let heavy = try await waiter(3)
    let light = try await waiter(1)
    heavy.cancel()
    await #expect(throws: CancellationError.self) { try await heavy.value }
    try await light.value
    semaphore.release(3)
    #expect(semaphore.tryAcquire(3))
  }

  @Test func `when the head's deadline passes those behind it that fit are served`() async throws {
    try await semaphore.acquire(2)
    let heavy = try await waiter(3, until: .now + .seconds(1))
    let light = try await waiter(1)
    await #expect(throws: DeadlineExceeded.self) { try await heavy.value }
    try await light.value
  }

  @Test func `a free permit is granted after the deadline too, one that is taken is not waited for`() async throws {
    try await semaphore.acquire(3, until: .now - .seconds(1))
    await #expect(throws: DeadlineExceeded.self) { try await semaphore.acquire(until: .now - .seconds(1)) }
    #expect(semaphore.waiterCount == 0)
  }

  @Test func `a task that was cancelled before gets no permit`() async throws {
    let gate = Promise<Void>()
    let late = Task {
      try? await gate.wait()  // ends early: the task is cancelled
      try await semaphore.acquire()
    }
    late.cancel()
    await #expect(throws: CancellationError.self) { try await late.value }
    #expect(semaphore.tryAcquire(3))
  }

  @Test func `closing fails callers that wait and callers that come, permits can still be released`() async throws {
    try await semaphore.acquire(3)
    let waiting = try await waiter()
    semaphore.close(throwing: Closed())
    await #expect(throws: Closed()) { try await waiting.value }
    semaphore.release(3)
    await #expect(throws: Closed()) { try await semaphore.acquire() }
    #expect(!semaphore.tryAcquire())
  }

  @Test func `permits are released when the body returns and when it throws`() async throws {
    #expect(try await semaphore.withPermits(2) { semaphore.tryAcquire(2) } == false)
    await #expect(throws: Closed()) { try await semaphore.withPermits(3) { throw Closed() } }
    #expect(semaphore.tryAcquire(3))
  }

  @Test func `deadlines, cancellations and releases that race lose no permit`() async throws {
    for round in 0..<300 {
      let semaphore = AsyncSemaphore(permits: 3)
      try await semaphore.acquire(3)
      let deadline = ContinuousClock.now + .microseconds(round * 3)
      let tasks = (0..<6).map { number in
        Task {
          try await semaphore.withPermits(1 + number % 3, until: number.isMultiple(of: 2) ? deadline : nil) {}
        }
      }
      await withDiscardingTaskGroup { group in
        group.addTask { semaphore.release(3) }
        group.addTask { tasks[1].cancel() }
        group.addTask { tasks[5].cancel() }
      }
      for (number, task) in tasks.enumerated() {
        switch await task.result {
        case .success: break
        case .failure(is DeadlineExceeded): #expect(number.isMultiple(of: 2))
        case .failure(let error):
          #expect(error is CancellationError)
          #expect([1, 5].contains(number))
        }
      }
      #expect(semaphore.waiterCount == 0)
      #expect(semaphore.tryAcquire(3))
    }
  }

  @Test func `no more callers than permits are inside at a time, and each gets in`() async throws {
    let semaphore = AsyncSemaphore(permits: 2)
    struct Count: Sendable { var now = 0, most = 0, all = 0 }
    let inside = Locked(Count())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3_000 {
        group.addTask {
          try await semaphore.withPermits {
            inside.change { count in
              count.now += 1
              count.most = max(count.most, count.now)
              count.all += 1
            }
            await Task.yield()
            inside.change { $0.now -= 1 }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(inside.value.all == 3_000)
    #expect(inside.value.most == 2)
  }
}
