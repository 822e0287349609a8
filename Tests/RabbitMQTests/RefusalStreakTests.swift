import Testing

@testable import RabbitMQ

struct RefusalStreakTests {
  private let start = ContinuousClock.now

  /// What the streak says to these confirms, each so many milliseconds after the start.
  private func answers(_ confirms: [(milliseconds: Int, positive: Bool)]) -> [Bool] {
    var streak = RefusalStreak()
    return confirms.map { streak.confirmed(positive: $0.positive, at: start + .milliseconds($0.milliseconds)) }
  }

  @Test func `refusals that go on for a second end the connection`() {
    #expect(answers([(0, false), (400, false), (900, false), (1_000, false)]) == [false, false, false, true])
  }

  @Test func `many at once do not, and few over a long time do not before there are three`() {
    #expect(answers((0..<50).map { ($0, false) }).allSatisfy { !$0 })
    #expect(answers([(0, false), (5_000, false), (9_000, false)]) == [false, false, true])
  }

  @Test func `one that is kept begins the count anew`() {
    #expect(
      answers([(0, false), (500, false), (990, true), (1_000, false), (1_500, false), (2_000, false)])
        == [false, false, false, false, false, true])
  }

  @Test func `after it has spoken it counts from the beginning`() {
    #expect(
      answers([(0, false), (10, false), (1_000, false), (1_010, false), (1_500, false)]).filter { $0 }.count == 1)
  }
}
