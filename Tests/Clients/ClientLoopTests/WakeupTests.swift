import TestServers
import Testing

@testable import ClientLoop

@Suite(.timeLimit(.minutes(1)))
struct WakeupTests {
  @Test func `a wake before the wait ends it at once`() async throws {
    let wakeup = try Wakeup()
    wakeup.wake()
    let took = await duration { wakeup.wait(timeout: .seconds(20)) }
    #expect(took < .seconds(5))
  }

  @Test func `any number of wakes counts as one`() async throws {
    let wakeup = try Wakeup()
    for _ in 0..<5 { wakeup.wake() }
    wakeup.wait(timeout: .seconds(20))
    let took = await duration { wakeup.wait(timeout: .milliseconds(30)) }
    #expect(took >= .milliseconds(25))
  }

  @Test func `drain makes it unreadable and never blocks`() async throws {
    let wakeup = try Wakeup()
    wakeup.drain()
    wakeup.wake()
    wakeup.drain()
    let took = await duration { wakeup.wait(timeout: .milliseconds(30)) }
    #expect(took >= .milliseconds(25))
  }

  @Test func `another thread ends the wait`() async throws {
    let wakeup = try Wakeup()
    let woken = Promise<Void>()
    NamedThread.start(named: "waits") {
      wakeup.wait()
      woken.resolve()
    }
    wakeup.wake()
    try await woken.wait()
  }
}
