import Jobs
import Testing

@testable import JobEngine

struct ThrottleStateTests {
  private let now = ContinuousClock.now

  @Test func `a key that is alone may have all workers`() {
    var state = ThrottleState()
    state.workers = 4
    let mayWait = (0..<6).map { _ in state.enter("a", now: now) }
    #expect(mayWait == Array(repeating: true, count: 6))
  }

  @Test func `where several keys come, the jobs of one wait in half of the workers`() {
    var state = ThrottleState()
    state.workers = 4
    let mayWait = ["b", "a", "a", "a"].map { state.enter($0, now: now) }
    #expect(mayWait == [true, true, true, false])
    state.leave("a")
    let another = ["a", "a"].map { state.enter($0, now: now) }
    #expect(another == [true, false])
    // A key that was not seen for a minute does not count.
    let later = state.enter("a", now: now + .seconds(61))
    #expect(later)
  }

  @Test func `jobs that are snoozed come back one after the other, as the limit allows`() {
    var state = ThrottleState()
    state.nodes = 2
    _ = state.enter("a", now: now)
    let interval = Duration.milliseconds(100)
    let turns = (0..<3).map { _ in state.turn("a", after: .seconds(1), interval, now: now) }
    #expect(turns == [.seconds(1), .milliseconds(1_200), .milliseconds(1_400)])
    // When their turns are over the next one depends on the limiter alone.
    #expect(state.turn("a", after: .seconds(1), interval, now: now + .seconds(60)) == .seconds(1))
    // Nobody is snoozed for days.
    #expect(state.turn("a", after: .seconds(9), .seconds(86_400), now: now + .seconds(60)) == .seconds(3_600))
  }
}
