import Foundation
import TestServers
import Testing

@testable import RabbitMQ

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQConsumerFailureTests {
  @Test func `what was unsettled when the connection was cut comes again and says so`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await fill(queue, ["a", "b", "c"])
      try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 10))
        try await eventually("all have come") { inbox.count == 3 }
        proxy.cutAll()
        try await eventually(within: .seconds(20), "all have come again") { inbox.count == 6 }
        let again = inbox.deliveries.suffix(3)
        #expect(again.allSatisfy { $0.redelivered })
        #expect(Set(again.map(\.properties.messageID)) == ["a", "b", "c"])
        for delivery in again { delivery.acknowledge() }
        try await eventuallyReady(0, in: queue)
      }
    }
  }

  @Test func `a delivery of a lost connection settles nothing of the next one`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await fill(queue, ["a"])
      try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 10))
        try await eventually("it has come") { inbox.count == 1 }
        proxy.cutAll()
        try await eventually(within: .seconds(20), "it has come again") { inbox.count == 2 }
        inbox.deliveries.first?.acknowledge()
      }
      try await eventuallyReady(1, in: queue)
    }
  }

  @Test func `a restarted subscription gets its unsettled deliveries again, and old ones settle nothing`() async throws
  {
    try await withQueue { queue in
      try await fill(queue, ["a"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 10)
        let inbox = Inbox(subscription)
        try await eventually("it has come") { inbox.count == 1 }
        subscription.restart()
        try await eventually("it has come again") { inbox.count == 2 }
        inbox.deliveries.first?.acknowledge()
        #expect(inbox.deliveries.last?.redelivered == true)
      }
      try await eventuallyReady(1, in: queue)
    }
  }

  @Test func `cuts while messages flow lose none`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      let ids = (0..<1_000).map { "m\($0)" }
      try await fill(queue, ids)
      try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 20)) { $0.acknowledge() }
        for share in 1...4 {
          try await eventually(within: .seconds(20), "another fifth has come") { Set(inbox.ids).count >= share * 200 }
          proxy.cutAll()
        }
        try await eventually(within: .seconds(20), "all have come") { Set(inbox.ids).count == ids.count }
      }
      try await eventuallyReady(0, in: queue)
    }
  }

  @Test func `a server that is away at first is waited for`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    proxy.refuseNew()
    try await withQueue { queue in
      try await fill(queue, ["a"])
      try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 1)
        let inbox = Inbox(subscription)
        #expect(!consumer.isConnected)
        #expect(!subscription.isAttached)
        proxy.acceptNew()
        try await eventually(within: .seconds(20), "it has come") { inbox.count == 1 }
        #expect(consumer.isConnected)
        // A quorum queue may deliver before it says that the consumer is there.
        try await eventually(within: .seconds(20), "it is attached") { subscription.isAttached }
      }
    }
  }

  @Test func `after a cut the consumer says that it is not connected`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 1)
        try await eventually("it is attached") { consumer.isConnected && subscription.isAttached }
        proxy.refuseNew()
        proxy.cutAll()
        try await eventually("the loss is noticed") { !consumer.isConnected && !subscription.isAttached }
        proxy.acceptNew()
        try await eventually(within: .seconds(20), "it is back") { consumer.isConnected && subscription.isAttached }
      }
    }
  }

  @Test func `a queue that is deleted and declared again is consumed again`() async throws {
    try await withQueue { queue in
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 10)
        let inbox = Inbox(subscription) { $0.acknowledge() }
        try await eventually("it is attached") { subscription.isAttached }
        try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
          try await administration.deleteQueue(queue, onlyIfEmpty: false)
          try await eventually("the deletion is noticed") { !subscription.isAttached }
          try await administration.declareQueue(queue, arguments: quorum)
        }
        try await fill(queue, ["after"])
        try await eventually(within: .seconds(20), "it has come") { inbox.ids == ["after"] }
      }
    }
  }

  @Test func `a queue that does not exist yet is waited for, and its neighbour served meanwhile`() async throws {
    try await withQueue { neighbour in
      try await fill(neighbour, ["n"])
      let queue = TestEnvironment.uniqueName("test")
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let late = Inbox(consumer.subscribe(queue: queue, prefetch: 1)) { $0.acknowledge() }
        let other = Inbox(consumer.subscribe(queue: neighbour, prefetch: 1)) { $0.acknowledge() }
        try await eventually("the neighbour is served") { other.count == 1 }
        try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
          try await administration.declareQueue(queue, arguments: quorum)
          do {
            try await fill(queue, ["a"])
            try await eventually(within: .seconds(20), "it has come") { late.count == 1 }
          } catch {
            try? await administration.deleteQueue(queue, onlyIfEmpty: false)
            throw error
          }
          try await administration.deleteQueue(queue, onlyIfEmpty: false)
        }
      }
    }
  }

  @Test func `a subscription cancelled before there is a connection ends too`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    proxy.stop()
    try await withConsumer(rabbitMQ(port: proxy.port)) { consumer async throws in
      let subscription = consumer.subscribe(queue: "none", prefetch: 1)
      let inbox = Inbox(subscription)
      subscription.cancel()
      try await eventually(within: .seconds(5), "its deliveries end") { inbox.isEnded }
    }
  }

  @Test func `a consumer stops promptly, connected or not`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    for refuses in [false, true] {
      if refuses { proxy.refuseNew() }
      let consumer = RabbitMQConsumer(try rabbitMQ(port: proxy.port), name: "stops", logger: logger)
      let running = Task { await consumer.run() }
      if !refuses { try await eventually("it is connected") { consumer.isConnected } }
      running.cancel()
      try await withTimeout(within: .seconds(5), "it stops") { await running.value }
      try await eventually("its connection is closed") { proxy.connectionCount == 0 }
    }
  }

  @Test func `what is settled after its channel's close was sent costs no connection`() async throws {
    try await withQueue { queue in
      try await fill(queue, (0..<300).map { "m\($0)" })
      let connection = try await RabbitMQConnection.open(rabbitMQ(), name: "test closing")
      for _ in 0..<3 {
        let delegate = CollectingDelegate()
        let channel = try await connection.openChannel(delegate)
        try await channel.call(.setPrefetch(300))
        try await channel.call(.consume(queue: queue, consumerTag: "test"))
        try await eventually("some have come") { delegate.deliveries.value.count >= 100 }
        let deliveries = delegate.deliveries.value
        channel.close()
        for delivery in deliveries { delivery.requeue() }
        #expect(try await connection.queueDepth(queue) != nil)
        try await eventually("they are known to be given back") { deliveries.allSatisfy { !$0.isHeld } }
      }
      #expect(try await connection.queueDepth(queue) != nil)
      await connection.close()
      try await eventuallyReady(300, in: queue)
    }
  }

  @Test func `what arrives after the reader has gone comes back while the connection lives`() async throws {
    try await withQueue { queue in
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 10)
        let reader = Task { for await _ in subscription.deliveries {} }
        try await eventually("the subscription is attached") { subscription.isAttached }
        reader.cancel()
        await reader.value
        try await fill(queue, ["a", "b", "c"])
        try await eventuallyReady(3, in: queue)
      }
    }
  }

  @Test func `a message that is too large arrives without its body, and the next one is whole`() async throws {
    try await withQueue { queue in
      let body = Data(repeating: 7, count: RabbitMQMessage.bodyMax + 1)
      // As another program publishes it: our publisher refuses it.
      let connection = try await RabbitMQConnection.open(rabbitMQ(), name: "another program")
      let delegate = OneMessageDelegate()
      let channel = try await connection.openChannel(delegate)
      // Only now: a delegate is asked for messages from the start, and the broker takes none before the channel is
      // open.
      delegate.left.change { $0 = message("large", to: queue, body: body) }
      channel.wakeForPublishing()
      try await eventuallyReady(1, in: queue)
      await connection.close()
      try await fill(queue, ["small"])
      let arrived = try await collect(queue) { $0.count == 2 }
      #expect(arrived.map(\.properties.messageID) == ["large", "small"])
      #expect(arrived[0].body.isEmpty)
      #expect(arrived[0].omittedBody?.size == body.count)
      #expect(arrived[0].omittedBody?.sha256.count == 64)
      #expect(arrived[1].body == Data("body".utf8))
      #expect(arrived[1].omittedBody == nil)
      let results = try await withPublisher(rabbitMQ()) { publisher async throws in
        await publisher.publish([message("ours", to: queue, body: body)], deadline: .now + .seconds(5))
      }
      #expect(results == [.refused])
    }
  }
}

/// Collects what arrives on its channel.
private struct CollectingDelegate: ChannelDelegate {
  let deliveries = Locked<[RabbitMQDelivery]>([])

  func received(_ deliveries: [RabbitMQDelivery]) { self.deliveries.change { $0 += deliveries } }
}

/// Publishes one message, whatever its size.
private struct OneMessageDelegate: ChannelDelegate {
  let left = Locked<RabbitMQMessage?>(nil)

  func nextMessage() -> RabbitMQMessage? {
    let message = left.value
    left.change { $0 = nil }
    return message
  }
}
