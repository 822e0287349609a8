import TestServers
import Testing

@testable import RabbitMQ

@Suite(.timeLimit(.minutes(1)))
struct ChannelNumbersTests {
  @Test func `a number in use is not taken again`() {
    var numbers = ChannelNumbers()
    #expect((0..<5).map { _ in numbers.take() } == [1, 2, 3, 4, 5])
  }

  @Test func `a released number is used again before a new one`() {
    var numbers = ChannelNumbers()
    for _ in 0..<3 { _ = numbers.take() }
    numbers.release(2)
    #expect(numbers.take() == 2)
    #expect(numbers.take() == 4)
  }

  @Test func `no number is greater than what was negotiated, and then there is none`() {
    var numbers = ChannelNumbers()
    numbers.channelMax = 3
    #expect((0..<5).map { _ in numbers.take() } == [1, 2, 3, nil, nil])
    numbers.release(3)
    #expect(numbers.take() == 3)
  }

  @Test func `all numbers there are can be taken`() {
    var numbers = ChannelNumbers()
    numbers.channelMax = 2_047
    let taken = (0..<2_047).compactMap { _ in numbers.take() }
    #expect(Set(taken).count == 2_047)
    #expect(numbers.take() == nil)
  }

  @Test func `releasing a free number changes nothing`() {
    var numbers = ChannelNumbers()
    numbers.release(7)
    #expect(numbers.take() == 1)
  }

  @Test(arguments: 1...20)
  func `among a thousand channels that come and go no two share a number`(_ seed: Int) throws {
    var numbers = ChannelNumbers()
    var random = SeededRandom(seed: UInt64(seed))
    var open: Set<UInt16> = []
    for _ in 0..<1_000 {
      if open.count < 40, Bool.random(using: &random) {
        let taken = numbers.take()
        let number = try #require(taken)
        let (isNew, _) = open.insert(number)
        #expect(isNew)
        #expect(number <= 40)
      } else if let number = open.randomElement(using: &random) {
        open.remove(number)
        numbers.release(number)
      }
    }
  }
}
