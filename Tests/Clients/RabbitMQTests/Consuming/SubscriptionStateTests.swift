import Testing

@testable import RabbitMQ

private let gone = RabbitMQError.channelClosed(code: 404, reason: "gone")

@Suite(.timeLimit(.minutes(1)))
struct SubscriptionStateTests {
  @Test func `without a channel there is nothing to do`() {
    var driver = SubscriptionDriver(prefetch: 5)
    #expect(driver.step() == nil)
    #expect(!driver.state.isAttached)
    _ = driver.state.nextGeneration()
    #expect(driver.step() == nil)
  }

  @Test func `with a channel a consumer is made with the requested prefetch`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    #expect(!driver.state.isAttached)
    let consumer = try driver.begin()
    #expect(consumer.prefetch == 5)
    #expect(consumer.tag.hasPrefix("q-1-5-"))
    #expect(!driver.state.isAttached)
    driver.state.handle(.consumerCreated(tag: consumer.tag))
    #expect(driver.state.isAttached)
    #expect(driver.step() == nil)
  }

  @Test func `a step is returned again until it is done`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    let consumer = try driver.begin()
    #expect(driver.step() == .create(consumer))
    driver.state.handle(.consumerCreated(tag: consumer.tag))
    driver.setPrefetch(0)
    #expect(driver.step() == .cancel(tag: consumer.tag))
    #expect(driver.step() == .cancel(tag: consumer.tag))
    driver.state.handle(.consumerCancelled(tag: consumer.tag))
    #expect(driver.step() == nil)
  }

  @Test func `with a prefetch of zero there is no consumer, and that is attached too`() {
    var driver = SubscriptionDriver(prefetch: 0)
    driver.attach()
    #expect(driver.work().isEmpty)
    #expect(driver.state.isAttached)
  }

  @Test func `less than zero is zero`() {
    var driver = SubscriptionDriver(prefetch: -3)
    driver.attach()
    #expect(driver.work().isEmpty)
    driver.setPrefetch(2)
    #expect(driver.work().count == 1)
    driver.setPrefetch(-1)
    #expect(driver.work().count == 1)
    #expect(driver.consumers.isEmpty)
    #expect(driver.state.isAttached)
  }

  @Test func `for another prefetch a second consumer is made before the first is cancelled`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    let old = try #require(driver.consumers.first)
    driver.setPrefetch(7)
    let new = try driver.begin()
    #expect(new.prefetch == 7)
    #expect(new.tag != old.tag)
    // Until the second stands the first one delivers.
    #expect(driver.state.isAttached)
    driver.state.handle(.consumerCreated(tag: new.tag))
    #expect(driver.state.isAttached)
    #expect(driver.step() == .cancel(tag: old.tag))
  }

  @Test func `the same prefetch again changes nothing`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    driver.setPrefetch(5)
    #expect(driver.step() == nil)
  }

  @Test func `requests that follow one another quickly are one change`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    for prefetch in [1, 0, 9, 3] { driver.setPrefetch(prefetch) }
    #expect(driver.work().count == 2)
    #expect(driver.consumers.map(\.prefetch) == [3])
    for prefetch in [0, 3] { driver.setPrefetch(prefetch) }
    #expect(driver.work().isEmpty)
  }

  @Test func `a prefetch that changes while a consumer is made is set after it`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    let first = try driver.begin()
    driver.setPrefetch(8)
    #expect(driver.step() == .create(first))
    driver.state.handle(.consumerCreated(tag: first.tag))
    driver.consumers.append(first)
    #expect(driver.work().count == 2)
    #expect(driver.consumers.map(\.prefetch) == [8])
  }

  @Test func `a prefetch of zero cancels the consumer and keeps the channel`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    driver.setPrefetch(0)
    #expect(!driver.state.isAttached)
    #expect(driver.work().count == 1)
    #expect(driver.consumers.isEmpty)
    #expect(driver.state.isAttached)
    driver.setPrefetch(4)
    #expect(driver.work().count == 1)
    #expect(driver.consumers.map(\.prefetch) == [4])
  }

  @Test func `tags are never used twice`() {
    var driver = SubscriptionDriver(prefetch: 1)
    driver.attach()
    var tags: [String] = []
    for round in 0..<200 {
      driver.setPrefetch(1 + round % 2)
      _ = driver.work()
      tags += driver.consumers.map(\.tag)
      if round.isMultiple(of: 20) { driver.attach() }
    }
    #expect(tags.count == 200)
    #expect(Set(tags).count == 200)
  }

  @Test func `a consumer that the broker cancels costs the channel`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    let consumer = try #require(driver.consumers.first)
    driver.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: driver.generation))
    #expect(!driver.state.isAttached)
    guard case .rebuild? = driver.step() else {
      Issue.record("no rebuild")
      return
    }
  }

  @Test func `a consumer that the broker cancels before it confirms it costs the channel too`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    let consumer = try driver.begin()
    driver.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: driver.generation))
    driver.state.handle(.consumerCreated(tag: consumer.tag))
    #expect(!driver.state.isAttached)
    guard case .rebuild? = driver.step() else {
      Issue.record("no rebuild")
      return
    }
  }

  @Test func `that the broker cancels an outgoing consumer, or one it never had, is no loss`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    let old = try #require(driver.consumers.first)
    driver.setPrefetch(6)
    let new = try driver.begin()
    driver.state.handle(.consumerCreated(tag: new.tag))
    driver.state.handle(.consumerCancelledByBroker(tag: old.tag, generation: driver.generation))
    driver.state.handle(.consumerCancelledByBroker(tag: "another", generation: driver.generation))
    #expect(driver.state.isAttached)
    #expect(driver.step() == .cancel(tag: old.tag))
  }

  @Test func `a lost channel is rebuilt, with the first error`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    driver.state.handle(.channelLost(gone, generation: driver.generation))
    driver.state.handle(.channelLost(.deadlineExceeded, generation: driver.generation))
    driver.state.handle(.restartRequested)
    #expect(driver.step() == .rebuild(gone))
    #expect(!driver.state.isAttached)
    driver.state.handle(.detached)
    #expect(driver.step() == nil)
    driver.attach()
    #expect(driver.work().count == 1)
    #expect(driver.consumers.map(\.prefetch) == [5])
    #expect(driver.state.isAttached)
  }

  @Test func `a channel that is lost before it is used is rebuilt`() {
    var driver = SubscriptionDriver(prefetch: 5)
    let generation = driver.state.nextGeneration()
    driver.state.handle(.channelLost(gone, generation: generation))
    driver.state.handle(.attached(generation: generation))
    #expect(driver.step() == .rebuild(gone))
  }

  @Test func `events of an older generation are ignored`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    let old = driver.generation
    let consumer = try #require(driver.consumers.first)
    driver.attach()
    driver.state.handle(.channelLost(gone, generation: old))
    driver.state.handle(.consumerCancelledByBroker(tag: consumer.tag, generation: old))
    #expect(driver.work().count == 1)
    #expect(driver.state.isAttached)
    driver.state.handle(.channelLost(gone, generation: old))
    driver.state.handle(.attached(generation: old))
    #expect(driver.state.isAttached)
    #expect(driver.step() == nil)
  }

  @Test func `a restart rebuilds the channel once`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    driver.state.handle(.restartRequested)
    driver.state.handle(.restartRequested)
    guard case .rebuild? = driver.step() else {
      Issue.record("no rebuild")
      return
    }
    driver.attach()
    #expect(driver.work().count == 1)
    #expect(driver.state.isAttached)
  }

  @Test func `a restart without a channel is none`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.state.handle(.restartRequested)
    driver.attach()
    #expect(driver.work().count == 1)
    #expect(driver.state.isAttached)
  }

  @Test func `a cancelled subscription cancels its consumer and then finishes, once`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    let consumer = try #require(driver.consumers.first)
    driver.state.handle(.cancelled)
    #expect(!driver.state.isTerminated)
    #expect(driver.work() == [.cancel(tag: consumer.tag), .finish])
    #expect(driver.step() == nil)
    driver.setPrefetch(9)
    #expect(driver.step() == nil)
  }

  @Test func `one that is cancelled while its consumer is made waits for it, cancels it and finishes`() throws {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    let consumer = try driver.begin()
    driver.state.handle(.cancelled)
    #expect(driver.work() == [.create(consumer), .cancel(tag: consumer.tag), .finish])
    #expect(driver.consumers.isEmpty)
  }

  @Test func `one that is cancelled without a channel is over at once, and makes no consumer on a later one`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.state.handle(.cancelled)
    #expect(driver.state.isTerminated)
    driver.attach()
    #expect(driver.work() == [.finish])
  }

  @Test func `a cancelled subscription whose channel is lost is over`() {
    var driver = SubscriptionDriver(prefetch: 5)
    driver.attach()
    _ = driver.work()
    driver.state.handle(.cancelled)
    driver.state.handle(.channelLost(gone, generation: driver.generation))
    #expect(driver.step() == .rebuild(gone))
    #expect(driver.state.isCancelled)
    driver.state.handle(.detached)
    #expect(driver.state.isTerminated)
  }
}
