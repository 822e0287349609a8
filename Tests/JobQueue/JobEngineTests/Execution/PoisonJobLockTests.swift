import TestServers
import Testing

@testable import JobEngine

@Suite(.timeLimit(.minutes(1)))
struct PoisonJobLockTests {
  @Test func `one body runs at a time`() async throws {
    let poisonLock = PoisonJobLock()
    let gates = JobGates()
    try await withThrowingDiscardingTaskGroup { group in
      for name in ["a", "b", "c"] {
        group.addTask { _ = await poisonLock.withLock(until: .now + .seconds(60)) { try? await gates.enter(name) } }
      }
      for place in 1...3 {
        try await eventually("number \(place) runs alone") {
          let (began, running) = (gates.began.count, gates.running.count)
          return began == place && running == 1
        }
        gates.release(gates.running[0])
      }
    }
    #expect(gates.most == 1)
  }

  @Test func `a waiter that is cancelled does not hold up the others`() async throws {
    let poisonLock = PoisonJobLock()
    let gates = JobGates()
    let first = Task { await poisonLock.withLock(until: .now + .seconds(60)) { try? await gates.enter("first") } }
    try await eventually("the first runs") { gates.running == ["first"] }
    let second = Task { await poisonLock.withLock(until: .now + .seconds(60)) { try? await gates.enter("second") } }
    second.cancel()
    #expect(await second.value == false)
    let third = Task { await poisonLock.withLock(until: .now + .seconds(60)) { try? await gates.enter("third") } }
    gates.releaseAll()
    #expect(await first.value)
    #expect(await third.value)
    #expect(!gates.began.contains("second"))
  }

  @Test func `a waiter whose time is over does not run`() async throws {
    let poisonLock = PoisonJobLock()
    let gates = JobGates()
    let first = Task { await poisonLock.withLock(until: .now + .seconds(60)) { try? await gates.enter("first") } }
    try await eventually("the first runs") { gates.running == ["first"] }
    #expect(await poisonLock.withLock(until: .now + .milliseconds(20)) { try? await gates.enter("second") } == false)
    gates.releaseAll()
    #expect(await first.value)
    #expect(gates.began == ["first"])
  }
}
