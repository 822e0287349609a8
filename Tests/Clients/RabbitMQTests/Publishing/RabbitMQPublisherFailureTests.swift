import Foundation
import TestServers
import Testing

@testable import RabbitMQ

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQPublisherFailureTests {
  @Test func `a connection cut in the middle of 2,000 messages loses none`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        proxy.cut(afterBytesFromClient: 200_000)
        let messages = (0..<2_000).map { message("m\($0)", to: queue, body: Data(count: 300)) }
        let results = await publisher.publish(messages, deadline: .now + .seconds(50))
        #expect(results.count { $0 == .confirmed } == 2_000)
        #expect(proxy.cutCount == 1)
      }
      let received = try await collect(queue) { Set($0.map(\.properties.messageID)).count == 2_000 }
      #expect(Set(received.map(\.properties.messageID)).count == 2_000)
    }
  }

  @Test func `several cuts, each at a random place, lose none`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
        for round in 0..<5 {
          try await eventually("the publisher is ready") { publisher.isReady }
          proxy.cut(afterBytesFromClient: Int.random(in: 1...40_000))
          let messages = (0..<200).map { message("\(round)-\($0)", to: queue, body: Data(count: 200)) }
          let results = await publisher.publish(messages, deadline: .now + .seconds(30))
          #expect(results.count { $0 == .confirmed } == 200)
        }
        #expect(proxy.cutCount > 0)
      }
      let received = try await collect(queue) { Set($0.map(\.properties.messageID)).count == 1_000 }
      #expect(Set(received.map(\.properties.messageID)).count == 1_000)
    }
  }

  @Test func `a message waits for the connection to come back`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        proxy.refuseNew()
        proxy.cutAll()
        try await eventually("the publisher notices") { !publisher.isReady }
        async let results = publisher.publish([message("waiting", to: queue)], deadline: .now + .seconds(40))
        proxy.acceptNew()
        #expect(await results == [.confirmed])
      }
    }
  }

  @Test func `while the server cannot be reached a message expires, and its caller learns that in time`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    proxy.stop()
    try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
      let took = await duration {
        let results = await publisher.publish([message("a", to: "q")], deadline: .now + .milliseconds(500))
        #expect(results == [.expired])
      }
      #expect(!publisher.isReady)
      #expect(took >= .milliseconds(490))
      #expect(took < .seconds(5))
    }
  }

  @Test func `a message that never reached the broker is lost, and its caller learns that in time`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        proxy.freeze()
        let took = await duration {
          let results = await publisher.publish([message("a", to: queue)], deadline: .now + .seconds(1))
          #expect(results == [.lost])
        }
        #expect(took < .seconds(6))
        proxy.unfreeze()
        let later = await publisher.publish([message("b", to: queue)], deadline: .now + .seconds(40))
        #expect(later == [.confirmed])
      }
    }
  }

  @Test func `a silent server is disconnected after two heartbeats, and the message is sent on the next connection`()
    async throws
  {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    var configuration = try rabbitMQ(port: proxy.port)
    configuration.heartbeat = .seconds(1)
    let changed = configuration
    try await withQueue { queue in
      try await withPublisher(changed) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        proxy.freeze()
        async let results = publisher.publish([message("a", to: queue)], deadline: .now + .seconds(50))
        try await eventually(within: .seconds(20), "the silence is noticed") { !publisher.isReady }
        proxy.cutAll()
        proxy.unfreeze()
        #expect(await results == [.confirmed])
      }
    }
  }

  /// The broker closes the channel over such a message (404): it must not drag the others along until its deadline.
  @Test func `a message to an exchange that does not exist does not hold up its neighbours`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        let nowhere = TestEnvironment.uniqueName("exchange")
        async let poison = publisher.publish(
          [message("poison", to: queue, exchange: nowhere)], deadline: .now + .seconds(25))
        let good = await publisher.publish([message("good", to: queue)], deadline: .now + .seconds(8))
        #expect(good == [.confirmed])
        let end = await poison
        #expect(end != [.confirmed])
      }
    }
  }

  @Test func `messages to a missing exchange cost the others one connection, not one for each`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      let exchange = TestEnvironment.uniqueName("exchange")
      try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        let took = try await duration {
          for round in 0..<40 {
            async let poison = publisher.publish(
              [message("poison", to: queue, exchange: exchange)], deadline: .now + .seconds(25))
            let good = await publisher.publish(
              (0..<50).map { message("\(round)-\($0)", to: queue) }, deadline: .now + .seconds(25))
            #expect(good == Array(repeating: .confirmed, count: 50))
            let end = await poison
            #expect(end == [.nacked])
            if round == 0 { try await eventually("it is connected again") { publisher.isReady } }
            #expect(publisher.isReady)
          }
        }
        // A new connection for each of them took longer, with growing delays.
        #expect(took < .seconds(10))
        try await RabbitMQAdministration.with(rabbitMQ()) { administration async throws in
          try await administration.declareExchange(exchange, type: "direct")
          try await administration.bind(queue: queue, to: exchange, routingKey: queue)
          try await eventually("messages to it are sent again") {
            await publisher.publish([message("late", to: queue, exchange: exchange)], deadline: .now + .seconds(5))
              == [.confirmed]
          }
          try await administration.deleteExchange(exchange)
        }
      }
    }
  }

  @Test func `properties that fit into no frame are refused, and nobody else notices`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        var largest = message("largest", to: queue)
        largest.properties.headers["large"] = .string("")
        let room = RabbitMQConfiguration.frameMax - largest.properties.headerFrameSize
        largest.properties.headers["large"] = .string(String(repeating: "x", count: room))
        var tooLarge = largest
        tooLarge.properties.headers["large"] = .string(String(repeating: "x", count: room + 1))
        let results = await publisher.publish(
          [tooLarge, largest, message("small", to: queue)], deadline: .now + .seconds(10))
        #expect(results == [.refused, .confirmed, .confirmed])
        #expect(publisher.isReady)
      }
    }
  }

  @Test func `where the window is full, callers wait until their deadline`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    try await withQueue { queue in
      try await withPublisher(rabbitMQ(port: proxy.port)) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        proxy.freeze()
        let before = proxy.bytesFromClient
        let full = Task {
          await publisher.publish(
            Array(repeating: message("a", to: queue), count: 3_000), deadline: .now + .seconds(600))
        }
        try await eventually("the others are queued") { proxy.bytesFromClient > before + 20 }
        let begin = ContinuousClock.now
        let late = await publisher.publish([message("b", to: queue)], deadline: begin + .milliseconds(300))
        #expect(late == [.expired])
        #expect(ContinuousClock.now >= begin + .milliseconds(300))
        proxy.unfreeze()
        let results = try await withTimeout(within: .seconds(30), "the others go out") { await full.value }
        #expect(results == Array(repeating: PublishResult.confirmed, count: 3_000))
      }
    }
  }

  @Test func `messages under way are resolved at once when the publisher stops`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    let publisher = RabbitMQPublisher(try rabbitMQ(port: proxy.port), name: "stops", logger: logger)
    let running = Task { await publisher.run() }
    try await eventually("the publisher is ready") { publisher.isReady }
    proxy.freeze()
    let before = proxy.bytesFromClient
    let published = Task { await publisher.publish([message("a", to: "q")], deadline: .now + .seconds(600)) }
    try await eventually("the message was written") { proxy.bytesFromClient > before + 20 }
    running.cancel()
    let results = try await withTimeout(within: .seconds(10), "the caller is told") { await published.value }
    #expect(results == [.lost])
    try await withTimeout(within: .seconds(10), "the publisher stops") { await running.value }
  }

  @Test func `publishing after the publisher stopped is answered too`() async throws {
    let publisher = RabbitMQPublisher(try rabbitMQ(), name: "stopped", logger: logger)
    let running = Task { await publisher.run() }
    try await eventually("the publisher is ready") { publisher.isReady }
    running.cancel()
    await running.value
    let results = try await withTimeout(within: .seconds(5), "a late message is answered by its deadline") {
      await publisher.publish([message("late", to: "q")], deadline: .now + .seconds(1))
    }
    #expect(results == [.expired])
  }

  @Test func `a publisher that is stopped while it connects leaves no connection behind`() async throws {
    let proxy = try TestEnvironment.rabbitMQ().proxy()
    defer { proxy.stop() }
    proxy.freeze()
    let publisher = RabbitMQPublisher(try rabbitMQ(port: proxy.port), name: "hasty", logger: logger)
    let running = Task { await publisher.run() }
    try await eventually("it is connecting") { proxy.bytesFromClient > 0 }
    running.cancel()
    try await withTimeout(within: .seconds(10), "it stops") { await running.value }
    proxy.unfreeze()
    try await eventually(within: .seconds(15), "the connection is closed") { proxy.connectionCount == 0 }
  }
}
