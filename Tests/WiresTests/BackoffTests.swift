import Testing
import Wires

struct BackoffTests {
  @Test func `every pause lies in the upper half of its step`() {
    for _ in 0..<200 {
      var backoff = Backoff(first: .milliseconds(100), most: .seconds(5))
      for step in 0..<12 {
        let full = min(Duration.milliseconds(100) * (1 << step), .seconds(5))
        let pause = backoff.next()
        #expect(pause >= full * 0.5)
        #expect(pause <= full)
      }
    }
  }

  @Test func `no pause is longer than the most, however many came before`() {
    var backoff = Backoff(first: .milliseconds(1), most: .seconds(2))
    for _ in 0..<10_000 { #expect(backoff.next() <= .seconds(2)) }
  }

  @Test func `after a reset it begins with the first step again`() {
    var backoff = Backoff()
    for _ in 0..<20 { _ = backoff.next() }
    backoff.reset()
    #expect(backoff.next() <= .milliseconds(100))
    #expect(backoff.next() >= .milliseconds(100))
  }

  @Test func `a first step above the most is held down to it`() {
    var backoff = Backoff(first: .seconds(60), most: .seconds(3))
    #expect(backoff.next() <= .seconds(3))
  }

  @Test func `pauses are drawn at random`() {
    let pauses = (0..<100).map { _ in
      var backoff = Backoff(first: .seconds(1), most: .seconds(1))
      return backoff.next()
    }
    #expect(Set(pauses).count > 50)
  }
}
