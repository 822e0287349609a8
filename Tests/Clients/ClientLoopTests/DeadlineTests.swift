import ClientLoop
import TestServers
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DeadlineTests {
  private struct Broken: Error, Equatable {}

  @Test func `a value that comes in time is returned at once`() async throws {
    let took = try await duration {
      let value = try await withDeadline(.now + .seconds(30)) { 5 }
      #expect(value == 5)
    }
    #expect(took < .seconds(5))
  }

  @Test func `nil is a value like any other`() async throws {
    let nothing: Int? = try await withDeadline(.now + .seconds(30)) { nil }
    #expect(nothing == nil)
  }

  @Test func `an error of the body is passed on`() async {
    await #expect(throws: Broken()) {
      try await withDeadline(.now + .seconds(30)) { throw Broken() }
    }
  }

  @Test func `at the deadline the body is cancelled and waited for`() async {
    let promise = Promise<Void>()
    let ended = Locked(false)
    await #expect(throws: DeadlineExceeded.self) {
      try await withDeadline(.now + .milliseconds(30)) {
        defer { ended.change { $0 = true } }
        try await promise.wait()
      }
    }
    #expect(ended.value)
  }

  @Test func `the deadline is not early and hardly late`() async {
    let promise = Promise<Void>()
    let took = await duration {
      await #expect(throws: DeadlineExceeded.self) {
        try await withDeadline(.now + .milliseconds(100)) { try await promise.wait() }
      }
    }
    #expect(took >= .milliseconds(99))
    #expect(took < .seconds(5))
  }

  @Test func `a cancelled caller gets a cancellation, not a missed deadline`() async throws {
    let begun = Promise<Void>()
    let promise = Promise<Void>()
    let caller = Task {
      try await withDeadline(.now + .seconds(30)) {
        begun.resolve()
        try await promise.wait()
      }
    }
    try await begun.wait()
    caller.cancel()
    await #expect(throws: CancellationError.self) { try await caller.value }
  }
}
