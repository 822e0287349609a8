import TestServers
import Testing

@testable import JobProcessing

@Suite(.timeLimit(.minutes(1)))
struct QuarantineTests {
  @Test func `one at a time`() async throws {
    let quarantine = Quarantine()
    let stage = Stage()
    try await withThrowingDiscardingTaskGroup { group in
      for name in ["a", "b", "c"] {
        group.addTask { _ = await quarantine.alone { try? await stage.enter(name) } }
      }
      for place in 1...3 {
        try await eventually("number \(place) has its turn") {
          let (began, running) = (stage.began.count, stage.running.count)
          return began == place && running == 1
        }
        stage.release(stage.running[0])
      }
    }
    #expect(stage.most == 1)
  }

  @Test func `who is cancelled in the line does not hold up the others`() async throws {
    let quarantine = Quarantine()
    let stage = Stage()
    let first = Task { await quarantine.alone { try? await stage.enter("first") } }
    try await eventually("the first has its turn") { stage.running == ["first"] }
    let second = Task { await quarantine.alone { try? await stage.enter("second") } }
    second.cancel()
    #expect(await second.value == false)
    let third = Task { await quarantine.alone { try? await stage.enter("third") } }
    stage.releaseAll()
    #expect(await first.value)
    #expect(await third.value)
    #expect(!stage.began.contains("second"))
  }
}
