import ClientLoop
import HTTPTypes
import JobOperations
import Jobs
import TestServers
import Testing

@testable import HTTP

struct SharedStatusTests {
  /// Counts its readings, and answers when it is told to.
  private final class Source: PlatformStatusSource {
    let begun = Locked(0)
    let running = Locked(0)
    let runningMax = Locked(0)
    let answer = Promise<Void>()

    func status() async -> PlatformStatus {
      begun.change { $0 += 1 }
      let now = running.change { running in
        running += 1
        return running
      }
      runningMax.change { $0 = max($0, now) }
      try? await answer.wait()
      running.change { $0 -= 1 }
      return PlatformStatus()
    }
  }

  @Test func `three hundred who ask at once share one reading, and those beyond the bound are told to come back`()
    async throws
  {
    let source = Source()
    let shared = SharedStatus(source, waitersMax: 100)
    let results = Locked<[Bool]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<300 {
        group.addTask {
          let isAnswered = (try? await shared.exposition()) != nil
          results.change { $0.append(isAnswered) }
        }
      }
      try await eventually("two hundred are refused") { results.value.count == 200 }
      #expect(results.value.allSatisfy { !$0 })
      source.answer.resolve()
      try await group.waitForAll()
    }
    #expect(results.value.filter { $0 }.count == 100)
    #expect(source.begun.value == 1)
    for _ in 0..<50 { _ = try await shared.exposition() }
    #expect(source.begun.value == 1)
  }

  @Test func `a reading goes on when the one who began it goes away`() async throws {
    let source = Source()
    let shared = SharedStatus(source)
    let first = Task { try await shared.exposition() }
    try await eventually("a reading is under way") { source.begun.value == 1 }
    first.cancel()
    _ = try? await first.value
    let second = Task { try await shared.exposition() }
    source.answer.resolve()
    #expect(try await second.value.contains("vluma_status_errors 0"))
    #expect(source.begun.value == 1)
    #expect(source.runningMax.value == 1)
  }
}
