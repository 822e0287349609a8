import Testing

@testable import WhatsAppSandbox

/// Which statuses a message gets, and when.
struct StatusPlanTests {
  private func draw(_ seed: UInt64 = 1, _ message: Int = 0, attempts: Int = 0) -> SeededDraw {
    SeededDraw(seed: seed, recipient: "5511987654321", subject: "callback \(message)", attempts: attempts)
  }

  private func plans(_ change: (inout SandboxConfiguration) -> Void) -> [StatusPlan] {
    let configuration = SandboxConfiguration.test(change)
    return (0..<200).map { StatusPlan(.accept, draw: draw(1, $0), configuration: configuration) }
  }

  @Test func `statuses come one after the other`() {
    for plan in plans({ $0.readShare = 1 }) {
      #expect(plan.steps.map(\.status) == [.sent, .delivered, .read])
      #expect(plan.steps.allSatisfy { $0.happensAfter == $0.postedAfter && $0.repeatedAfter == nil })
      #expect(zip(plan.steps, plan.steps.dropFirst()).allSatisfy { $0.postedAfter < $1.postedAfter })
    }
  }

  @Test func `reordered ones do not begin with sent, but happened in order`() {
    let all = plans {
      $0.readShare = 0.5
      $0.reorderedShare = 1
    }
    for plan in all {
      #expect(plan.steps.first?.status != .sent)
      #expect(plan.steps.contains { $0.status == .sent })
      let happened = plan.steps.sorted { $0.happensAfter < $1.happensAfter }.map(\.status)
      #expect(happened == Array([MessageStatus.sent, .delivered, .read].prefix(happened.count)))
      #expect(zip(plan.steps, plan.steps.dropFirst()).allSatisfy { $0.postedAfter < $1.postedAfter })
    }
  }

  @Test func `shares are close to the configured ones`() {
    let all = plans {
      $0.readShare = 0.6
      $0.reorderedShare = 0.2
      $0.duplicateShare = 0.1
    }
    let read = all.filter { $0.steps.count == 3 }.count
    let reordered = all.filter { $0.steps.first?.status != .sent }.count
    let steps = all.flatMap(\.steps)
    let duplicates = steps.filter { $0.repeatedAfter != nil }.count
    #expect((95...145).contains(read))
    #expect((20...65).contains(reordered))
    #expect((20...90).contains(duplicates))
    #expect(steps.allSatisfy { step in step.repeatedAfter.map { $0 > step.postedAfter } ?? true })
  }

  @Test func `behaviours decide which statuses there are`() {
    let configuration = SandboxConfiguration.test()
    func statuses(_ behaviour: SandboxBehaviour) -> [MessageStatus] {
      StatusPlan(behaviour, draw: draw(), configuration: configuration).steps.map(\.status)
    }
    #expect(statuses(.withoutStatus).isEmpty)
    #expect(statuses(.cutAfterWithoutStatus).isEmpty)
    #expect(statuses(.failLater(code: 131_026)) == [.sent, .failed])
    #expect(statuses(.cutAfter) == [.sent, .delivered])
  }

  @Test func `the same seed draws the same, another seed or another try does not`() {
    let configuration = SandboxConfiguration.test {
      $0.readShare = 0.5
      $0.reorderedShare = 0.5
      $0.duplicateShare = 0.5
      $0.statusDelay = Duration.zero...Duration.seconds(10)
    }
    func plan(_ draw: SeededDraw) -> StatusPlan { StatusPlan(.accept, draw: draw, configuration: configuration) }
    #expect(plan(draw(7, 3)) == plan(draw(7, 3)))
    #expect(plan(draw(7, 3)) != plan(draw(8, 3)))
    #expect(plan(draw(7, 3)) != plan(draw(7, 4)))
    #expect(plan(draw(7, 3)) != plan(draw(7, 3, attempts: 1)))
  }

  @Test func `faults get their shares`() {
    let faults = [
      SandboxFault(share: 0.25, behaviour: .cutBefore), SandboxFault(share: 0.5, behaviour: .silent),
    ]
    let drawn = (0..<400).map { draw(1, $0).behaviour(among: faults) }
    #expect((70...130).contains(drawn.filter { $0 == .cutBefore }.count))
    #expect((160...240).contains(drawn.filter { $0 == .silent }.count))
    #expect((70...130).contains(drawn.filter { $0 == .accept }.count))
    #expect((0..<400).allSatisfy { draw(1, $0).behaviour(among: []) == .accept })
  }
}
