import Testing

@testable import RabbitMQ

private let gone = RabbitMQError.channelClosed(code: 404, reason: "gone")

@Suite(.timeLimit(.minutes(1)))
struct SubscriptionStateTests {
  @Test func `without a channel there is nothing to do`() {
    var line = SubscriptionLine(prefetch: 5)
    #expect(line.step() == nil)
    #expect(!line.state.isAttached)
    _ = line.state.nextGeneration()
    #expect(line.step() == nil)
  }

  @Test func `with a channel a consumer is made with the wished prefetch`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    #expect(!line.state.isAttached)
    let consumer = try line.begin()
    #expect(consumer.prefetch == 5)
    #expect(consumer.tag.hasPrefix("q-1-5-"))
    #expect(!line.state.isAttached)
    line.state.handle(.consumerMade(tag: consumer.tag))
    #expect(line.state.isAttached)
    #expect(line.step() == nil)
  }

  @Test func `a step is named again until it is done`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    let consumer = try line.begin()
    #expect(line.step() == .make(consumer))
    line.state.handle(.consumerMade(tag: consumer.tag))
    line.wish(0)
    #expect(line.step() == .cancel(tag: consumer.tag))
    #expect(line.step() == .cancel(tag: consumer.tag))
    line.state.handle(.consumerCancelled(tag: consumer.tag))
    #expect(line.step() == nil)
  }

  @Test func `with a wish for none there is no consumer, and that is attached too`() {
    var line = SubscriptionLine(prefetch: 0)
    line.attach()
    #expect(line.work().isEmpty)
    #expect(line.state.isAttached)
  }

  @Test func `less than none is none`() {
    var line = SubscriptionLine(prefetch: -3)
    line.attach()
    #expect(line.work().isEmpty)
    line.wish(2)
    #expect(line.work().count == 1)
    line.wish(-1)
    #expect(line.work().count == 1)
    #expect(line.consumers.isEmpty)
    #expect(line.state.isAttached)
  }

  @Test func `for another prefetch a second consumer is made before the first is cancelled`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    let old = try #require(line.consumers.first)
    line.wish(7)
    let new = try line.begin()
    #expect(new.prefetch == 7)
    #expect(new.tag != old.tag)
    // Until the second stands the first one delivers.
    #expect(line.state.isAttached)
    line.state.handle(.consumerMade(tag: new.tag))
    #expect(line.state.isAttached)
    #expect(line.step() == .cancel(tag: old.tag))
  }

  @Test func `the same wish again changes nothing`() {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    line.wish(5)
    #expect(line.step() == nil)
  }

  @Test func `wishes that change quickly are one change`() {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    for prefetch in [1, 0, 9, 3] { line.wish(prefetch) }
    #expect(line.work().count == 2)
    #expect(line.consumers.map(\.prefetch) == [3])
    for prefetch in [0, 3] { line.wish(prefetch) }
    #expect(line.work().isEmpty)
  }

  @Test func `a wish that changes while a consumer is made is fulfilled after it`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    let first = try line.begin()
    line.wish(8)
    #expect(line.step() == .make(first))
    line.state.handle(.consumerMade(tag: first.tag))
    line.consumers.append(first)
    #expect(line.work().count == 2)
    #expect(line.consumers.map(\.prefetch) == [8])
  }

  @Test func `a wish for none cancels the consumer and keeps the channel`() {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    line.wish(0)
    #expect(!line.state.isAttached)
    #expect(line.work().count == 1)
    #expect(line.consumers.isEmpty)
    #expect(line.state.isAttached)
    line.wish(4)
    #expect(line.work().count == 1)
    #expect(line.consumers.map(\.prefetch) == [4])
  }

  @Test func `tags are never used twice`() {
    var line = SubscriptionLine(prefetch: 1)
    line.attach()
    var tags: [String] = []
    for round in 0..<200 {
      line.wish(1 + round % 2)
      _ = line.work()
      tags += line.consumers.map(\.tag)
      if round.isMultiple(of: 20) { line.attach() }
    }
    #expect(tags.count == 200)
    #expect(Set(tags).count == 200)
  }

  @Test func `a consumer that the broker cancels costs the channel`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    let consumer = try #require(line.consumers.first)
    line.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: line.generation))
    #expect(!line.state.isAttached)
    guard case .rebuild? = line.step() else {
      Issue.record("no rebuild")
      return
    }
  }

  @Test func `a consumer that the broker cancels before it confirms it costs the channel too`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    let consumer = try line.begin()
    line.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: line.generation))
    line.state.handle(.consumerMade(tag: consumer.tag))
    #expect(!line.state.isAttached)
    guard case .rebuild? = line.step() else {
      Issue.record("no rebuild")
      return
    }
  }

  @Test func `that the broker cancels a consumer that is leaving, or one it never had, is no loss`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    let old = try #require(line.consumers.first)
    line.wish(6)
    let new = try line.begin()
    line.state.handle(.consumerMade(tag: new.tag))
    line.state.handle(.consumerCancelledByBroker(tag: old.tag, generation: line.generation))
    line.state.handle(.consumerCancelledByBroker(tag: "somebody's", generation: line.generation))
    #expect(line.state.isAttached)
    #expect(line.step() == .cancel(tag: old.tag))
  }

  @Test func `a lost channel is rebuilt, with the first reason that was told`() {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    line.state.handle(.channelLost(gone, generation: line.generation))
    line.state.handle(.channelLost(.deadlineExceeded, generation: line.generation))
    line.state.handle(.restartAsked)
    #expect(line.step() == .rebuild(gone))
    #expect(!line.state.isAttached)
    line.state.handle(.detached)
    #expect(line.step() == nil)
    line.attach()
    #expect(line.work().count == 1)
    #expect(line.consumers.map(\.prefetch) == [5])
    #expect(line.state.isAttached)
  }

  @Test func `a channel that is lost before it is taken into use is rebuilt`() {
    var line = SubscriptionLine(prefetch: 5)
    let generation = line.state.nextGeneration()
    line.state.handle(.channelLost(gone, generation: generation))
    line.state.handle(.attached(generation: generation))
    #expect(line.step() == .rebuild(gone))
  }

  @Test func `what is told of an older generation is ignored`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    let old = line.generation
    let consumer = try #require(line.consumers.first)
    line.attach()
    line.state.handle(.channelLost(gone, generation: old))
    line.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: old))
    #expect(line.work().count == 1)
    #expect(line.state.isAttached)
    line.state.handle(.channelLost(gone, generation: old))
    line.state.handle(.attached(generation: old))
    #expect(line.state.isAttached)
    #expect(line.step() == nil)
  }

  @Test func `a restart rebuilds the channel once`() {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    line.state.handle(.restartAsked)
    line.state.handle(.restartAsked)
    guard case .rebuild? = line.step() else {
      Issue.record("no rebuild")
      return
    }
    line.attach()
    #expect(line.work().count == 1)
    #expect(line.state.isAttached)
  }

  @Test func `a restart without a channel is none`() {
    var line = SubscriptionLine(prefetch: 5)
    line.state.handle(.restartAsked)
    line.attach()
    #expect(line.work().count == 1)
    #expect(line.state.isAttached)
  }

  @Test func `a cancelled subscription cancels its consumer and then finishes, once`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    let consumer = try #require(line.consumers.first)
    line.state.handle(.cancelled)
    #expect(!line.state.isOver)
    #expect(line.work() == [.cancel(tag: consumer.tag), .finish])
    #expect(line.step() == nil)
    line.wish(9)
    #expect(line.step() == nil)
  }

  @Test func `one that is cancelled while its consumer is made waits for it, cancels it and finishes`() throws {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    let consumer = try line.begin()
    line.state.handle(.cancelled)
    #expect(line.work() == [.make(consumer), .cancel(tag: consumer.tag), .finish])
    #expect(line.consumers.isEmpty)
  }

  @Test func `one that is cancelled without a channel is over at once, and makes no consumer on a later one`() {
    var line = SubscriptionLine(prefetch: 5)
    line.state.handle(.cancelled)
    #expect(line.state.isOver)
    line.attach()
    #expect(line.work() == [.finish])
  }

  @Test func `a cancelled subscription whose channel is lost is over`() {
    var line = SubscriptionLine(prefetch: 5)
    line.attach()
    _ = line.work()
    line.state.handle(.cancelled)
    line.state.handle(.channelLost(gone, generation: line.generation))
    #expect(line.step() == .rebuild(gone))
    #expect(line.state.isCancelled)
    line.state.handle(.detached)
    #expect(line.state.isOver)
  }
}
