import ClientLoop
import Foundation
import Glibc
import TestServers
import Testing

/// An actor whose jobs run on a thread of its own.
private actor ThreadBound {
  private let executor: ThreadExecutor
  private(set) var count = 0
  private(set) var threads: Set<UInt> = []
  private(set) var order: [Int] = []

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  init(_ name: String) throws { executor = try ThreadExecutor(name: name) }

  deinit { executor.stop() }

  func visit(_ number: Int = 0) {
    count += 1
    order.append(number)
    threads.insert(UInt(pthread_self()))
  }

  /// Blocks the thread until a wake.
  func block(on wakeup: Wakeup) { wakeup.wait() }

  /// Suspends in the middle and returns to the thread.
  func visitTwice(_ promise: Promise<Void>) async throws {
    visit()
    try await promise.wait()
    visit()
  }

  nonisolated func stop() { executor.stop() }
}

@Suite(.timeLimit(.minutes(1)))
struct ThreadExecutorTests {
  @Test func `all jobs run on one thread, one at a time`() async throws {
    let actor = try ThreadBound("test")
    await withDiscardingTaskGroup { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<500 { await actor.visit() } }
      }
    }
    #expect(await actor.count == 4_000)
    #expect(await actor.threads.count == 1)
  }

  @Test func `calls of one task run in their order`() async throws {
    let actor = try ThreadBound("test")
    for number in 0..<1_000 { await actor.visit(number) }
    #expect(await actor.order == Array(0..<1_000))
  }

  @Test func `a job comes back to the same thread after waiting`() async throws {
    let actor = try ThreadBound("test")
    let promise = Promise<Void>()
    let visitor = Task { try await actor.visitTwice(promise) }
    try await eventually("the first half has run") { await actor.count == 1 }
    promise.resolve()
    try await visitor.value
    #expect(await actor.count == 2)
    #expect(await actor.threads.count == 1)
  }

  @Test func `each executor has a thread of its own`() async throws {
    let actors = try (0..<4).map { try ThreadBound("test \($0)") }
    var threads: Set<UInt> = []
    for actor in actors {
      await actor.visit()
      threads.formUnion(await actor.threads)
    }
    #expect(threads.count == 4)
  }

  @Test func `jobs still run after stop`() async throws {
    let actor = try ThreadBound("test")
    await actor.visit()
    for _ in 0..<100 {
      actor.stop()
      await actor.visit()
    }
    #expect(await actor.count == 101)
  }

  @Test func `jobs that are added while the thread is stopping run`() async throws {
    for _ in 0..<200 {
      let actor = try ThreadBound("test")
      await withDiscardingTaskGroup { group in
        group.addTask { await actor.visit() }
        group.addTask { actor.stop() }
        group.addTask { await actor.visit() }
      }
      #expect(await actor.count == 2)
    }
  }

  @Test func `blocked actors hold none of Swift's own threads`() async throws {
    let actors = try (0..<16).map { try ThreadBound("blocked \($0)") }
    let wakeups = try actors.map { _ in try Wakeup() }
    await withDiscardingTaskGroup { group in
      for (actor, wakeup) in zip(actors, wakeups) { group.addTask { await actor.block(on: wakeup) } }
      // Runs only where a thread is left to run it.
      group.addTask { for wakeup in wakeups { wakeup.wake() } }
    }
  }

  @Test func `a thread ends once its actor is gone`() async throws {
    let name = "gone\(Int.random(in: 0..<1_000_000))"
    do {
      let actor = try ThreadBound(name)
      await actor.visit()
      withExtendedLifetime(actor) { #expect(threadNames().contains(name)) }
    }
    try await eventually("the thread \(name) ends") { !threadNames().contains(name) }
  }

  /// The names of this process's threads, as `top -H` shows them.
  private func threadNames() -> [String] {
    let folder = "/proc/self/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return threads.compactMap { try? String(contentsOfFile: "\(folder)/\($0)/comm", encoding: .utf8) }
      .map { $0.trimmingCharacters(in: .newlines) }
  }
}
