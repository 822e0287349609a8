import RabbitMQ
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQConsumerTests {
  @Test func `what was acknowledged does not come again`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b", "c"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 10)) { $0.acknowledge() }
        try await eventually("all have come") { inbox.count == 3 }
        #expect(inbox.ids == ["a", "b", "c"])
        #expect(consumer.isConnected)
      }
      // Had an acknowledgement been lost, its message would be ready again by now or soon.
      try await fill(queue, ["d"])
      let rest = try await collect(queue) { $0.contains { $0.properties.messageID == "d" } }
      #expect(rest.map(\.properties.messageID) == ["d"])
    }
  }

  @Test func `what was acknowledged just before the consumer stopped does not come again`() async throws {
    try await withQueue { queue in
      let ids = (0..<100).map { "m\($0)" }
      try await fill(queue, ids)
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 100))
        try await eventually("all have come") { inbox.count == 100 }
        for delivery in inbox.deliveries { delivery.acknowledge() }
      }
      try await fill(queue, ["last"])
      let rest = try await collect(queue) { $0.contains { $0.properties.messageID == "last" } }
      #expect(rest.map(\.properties.messageID) == ["last"])
    }
  }

  @Test func `a requeued message comes again and says so`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 10)) { delivery in
          if delivery.redelivered { delivery.acknowledge() } else { delivery.requeue() }
        }
        try await eventually("it has come twice") { inbox.count == 2 }
        #expect(inbox.deliveries.map(\.redelivered) == [false, true])
        #expect(inbox.ids == ["a", "a"])
      }
      try await eventuallyReady(0, in: queue)
    }
  }

  @Test func `no more than the prefetch is delivered unsettled`() async throws {
    try await withQueue { queue in
      try await fill(queue, (0..<20).map { "m\($0)" })
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 5))
        try await eventually("the prefetch has come") { inbox.count == 5 }
        try await eventuallyReady(15, in: queue)
        for delivery in inbox.deliveries.prefix(2) { delivery.acknowledge() }
        try await eventually("two more have come") { inbox.count == 7 }
        try await eventuallyReady(13, in: queue)
        #expect(inbox.count == 7)
      }
    }
  }

  @Test func `with a prefetch of zero nothing comes until more is asked for`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b", "c"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 0)
        let inbox = Inbox(subscription)
        try await eventually("the subscription is attached") { subscription.isAttached }
        try await eventuallyReady(3, in: queue)
        #expect(inbox.count == 0)
        subscription.setPrefetch(2)
        try await eventually("two have come") { inbox.count == 2 }
        try await eventuallyReady(1, in: queue)
      }
    }
  }

  @Test func `deliveries under way stay valid when the prefetch falls to zero`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b", "c"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 2)
        let inbox = Inbox(subscription)
        try await eventually("two have come") { inbox.count == 2 }
        subscription.setPrefetch(0)
        try await eventually("the consumer is cancelled") { subscription.isAttached }
        try await eventuallyReady(1, in: queue)
        for delivery in inbox.deliveries { delivery.acknowledge() }
        try await eventuallyReady(1, in: queue)
        subscription.setPrefetch(5)
        try await eventually("the last has come") { inbox.count == 3 }
        #expect(inbox.ids == ["a", "b", "c"])
        #expect(!inbox.deliveries.contains { $0.redelivered })
      }
    }
  }

  @Test func `a prefetch that goes up and down while messages flow loses and repeats none`() async throws {
    try await withQueue { queue in
      let ids = (0..<1_500).map { "m\($0)" }
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 1)
        let inbox = Inbox(subscription) { $0.acknowledge() }
        async let filled: Void = fill(queue, ids)
        for (step, prefetch) in [50, 3, 0, 200, 1, 0, 10, 400, 2, 100].enumerated() {
          subscription.setPrefetch(prefetch)
          if prefetch > 0, inbox.count < ids.count {
            try await eventually("some more come with a prefetch of \(prefetch)") {
              inbox.count >= min((step + 1) * 100, ids.count)
            }
          }
        }
        try await filled
        try await eventually(within: .seconds(30), "all have come") { Set(inbox.ids).count == ids.count }
        #expect(inbox.count == ids.count)
        #expect(Set(inbox.ids) == Set(ids))
      }
      try await eventuallyReady(0, in: queue)
    }
  }

  @Test func `a cancelled subscription ends, and what it delivered can still be settled`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b", "c"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let subscription = consumer.subscribe(queue: queue, prefetch: 2)
        let inbox = Inbox(subscription)
        try await eventually("two have come") { inbox.count == 2 }
        subscription.cancel()
        try await eventually("the deliveries end") { inbox.isEnded }
        for delivery in inbox.deliveries { delivery.acknowledge() }
        try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
          try await eventually("the broker knows no consumer") {
            try await administration.queueDepth(queue)?.consumers == 0
          }
        }
        #expect(inbox.count == 2)
      }
      let rest = try await collect(queue) { $0.count == 1 }
      #expect(rest.map(\.properties.messageID) == ["c"])
    }
  }

  @Test func `deliveries end when the consumer stops, and what was unsettled is requeued`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b"])
      let inbox = try await withConsumer(rabbitMQ()) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 10))
        try await eventually("both have come") { inbox.count == 2 }
        return inbox
      }
      try await eventually("the deliveries end") { inbox.isEnded }
      try await eventuallyReady(2, in: queue)
      // Too late, and harmless.
      for delivery in inbox.deliveries { delivery.acknowledge() }
      let again = try await collect(queue) { $0.count == 2 }
      #expect(again.allSatisfy { $0.redelivered })
    }
  }

  @Test func `several subscriptions of one consumer are served side by side`() async throws {
    try await withQueue { first in
      try await withQueue { second in
        try await fill(first, (0..<50).map { "first\($0)" })
        try await fill(second, (0..<50).map { "second\($0)" })
        try await withConsumer(rabbitMQ()) { consumer async throws in
          let inboxes = [first, second].map { queue in
            Inbox(consumer.subscribe(queue: queue, prefetch: 5)) { $0.acknowledge() }
          }
          try await eventually("both are read") { inboxes.allSatisfy { $0.count == 50 } }
          #expect(inboxes[0].ids.allSatisfy { $0.hasPrefix("first") })
          #expect(inboxes[1].ids.allSatisfy { $0.hasPrefix("second") })
        }
      }
    }
  }

  @Test func `messages that are ready are counted, those that are delivered are not`() async throws {
    try await withQueue { queue in
      try await fill(queue, ["a", "b", "c"])
      try await withConsumer(rabbitMQ()) { consumer async throws in
        try await eventually("it is connected") { consumer.isConnected }
        try await eventually("all are ready") { try await consumer.readyCount(of: queue) == 3 }
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 2))
        try await eventually("two have come") { inbox.count == 2 }
        try await eventually("one is left") { try await consumer.readyCount(of: queue) == 1 }
        #expect(try await consumer.readyCount(of: TestEnvironment.uniqueName("none")) == nil)
        // Neither the counts nor the refusal touch the channel that consumes.
        for delivery in inbox.deliveries { delivery.acknowledge() }
        try await eventually("the last has come") { inbox.ids == ["a", "b", "c"] }
      }
    }
  }

  @Test func `counting again and again, several at once, never takes a channel from the subscription`() async throws {
    try await withQueue { queue in
      try await withConsumer(rabbitMQ()) { consumer async throws in
        let inbox = Inbox(consumer.subscribe(queue: queue, prefetch: 100)) { $0.acknowledge() }
        try await eventually("it is connected") { consumer.isConnected }
        async let filled: Void = fill(queue, (0..<500).map { "m\($0)" })
        try await withThrowingTaskGroup(of: Void.self) { group in
          for task in 0..<4 {
            group.addTask {
              for round in 0..<100 {
                let isMissing = (task + round).isMultiple(of: 3)
                let count = try await consumer.readyCount(of: isMissing ? queue + "-none" : queue)
                #expect((count == nil) == isMissing)
              }
            }
          }
          try await group.waitForAll()
        }
        try await filled
        try await eventually(within: .seconds(20), "all have come") { inbox.count == 500 }
        #expect(!inbox.deliveries.contains { $0.redelivered })
      }
    }
  }

  @Test func `without a connection nothing can be counted`() async throws {
    let consumer = RabbitMQConsumer(try rabbitMQ(), name: "never run", logger: logger)
    let error = await #expect(throws: RabbitMQError.self) { _ = try await consumer.readyCount(of: "q") }
    guard case .connectionClosed? = error else {
      Issue.record("\(String(describing: error)) is not connectionClosed")
      return
    }
  }
}
