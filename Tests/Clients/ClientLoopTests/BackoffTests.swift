import ClientLoop
import TestServers
import Testing

struct BackoffTests {
  @Test func `every delay lies in the upper half of its step`() {
    for _ in 0..<200 {
      var backoff = Backoff(initial: .milliseconds(100), max: .seconds(5))
      for step in 0..<12 {
        let full = min(Duration.milliseconds(100) * (1 << step), .seconds(5))
        let delay = backoff.next()
        #expect(delay >= full * 0.5)
        #expect(delay <= full)
      }
    }
  }

  @Test func `no delay is longer than the maximum, however many came before`() {
    var backoff = Backoff(initial: .milliseconds(1), max: .seconds(2))
    for _ in 0..<10_000 { #expect(backoff.next() <= .seconds(2)) }
  }

  @Test func `after a reset it begins with the first step again`() {
    var backoff = Backoff()
    for _ in 0..<20 { _ = backoff.next() }
    backoff.reset()
    #expect(backoff.next() <= .milliseconds(100))
    #expect(backoff.next() >= .milliseconds(100))
  }

  @Test func `an initial delay above the maximum is limited to it`() {
    var backoff = Backoff(initial: .seconds(60), max: .seconds(3))
    #expect(backoff.next() <= .seconds(3))
  }

  @Test func `one delay of the longest step leaves the others as they are`() {
    var random = SeededRandom(seed: 1)
    var backoff = Backoff(initial: .milliseconds(100), max: .seconds(5))
    #expect(backoff.next(atMax: true, using: &random) >= .seconds(2.5))
    #expect(backoff.next(using: &random) <= .milliseconds(200))
  }

  @Test func `delays are drawn at random`() {
    let delays = (0..<100).map { _ in
      var backoff = Backoff(initial: .seconds(1), max: .seconds(1))
      return backoff.next()
    }
    #expect(Set(delays).count > 50)
  }
}
