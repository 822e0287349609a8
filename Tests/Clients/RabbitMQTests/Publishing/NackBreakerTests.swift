import Testing

@testable import RabbitMQ

struct NackBreakerTests {
  private let start = ContinuousClock.now

  /// The breaker's answers to nacks at these milliseconds after the start.
  private func answers(_ milliseconds: [Int]) -> [Bool] {
    var breaker = NackBreaker()
    return milliseconds.map { breaker.nacked(at: start + .milliseconds($0)) }
  }

  @Test func `nacks that go on for a second end the connection`() {
    #expect(answers([0, 400, 900, 1_000]) == [false, false, false, true])
  }

  @Test func `many at once do not, and few over a long time do not before there are three`() {
    #expect(answers(Array(repeating: 0, count: 50)).allSatisfy { !$0 })
    #expect(answers([0, 5_000, 9_000]) == [false, false, true])
  }

  @Test func `after it has tripped it counts from the beginning`() {
    #expect(answers([0, 10, 1_000, 1_010, 1_500]).filter { $0 }.count == 1)
  }

  @Test func `where a new connection does not help the next one comes later, half a minute later at most`() {
    let trips = answers(Array(stride(from: 0, through: 200_000, by: 100))).enumerated()
      .filter { $0.element }.map { $0.offset * 100 }
    let delays = zip(trips.dropFirst(), trips).map { $0 - $1 }
    #expect(trips.first == 1_000)
    #expect(delays.prefix(5) == [2_100, 4_100, 8_100, 16_100, 32_100])
    #expect(delays.allSatisfy { $0 <= 32_100 })
  }

  @Test func `what an older connection nacked does not count`() {
    var breaker = NackBreaker()
    for milliseconds in [0, 300, 600] { #expect(breaker.nacked(at: start + .milliseconds(milliseconds)) == false) }
    breaker.reset()
    #expect(breaker.nacked(at: start + .milliseconds(1_000)) == false)
  }
}
