import Foundation
import RabbitMQ
import TestServers
import Testing

@Suite(.serialized, .timeLimit(.minutes(1)))
struct RabbitMQPublisherTests {
  @Test func `a message for a queue is confirmed and stands in it`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let results = await publisher.publish([message("one", to: queue)], deadline: .now + .seconds(20))
        #expect(results == [.confirmed])
        try await eventually("the publisher says that it is ready") { publisher.isReady }
      }
      try await eventuallyReady(1, in: queue)
    }
  }

  @Test func `no messages are no work`() async throws {
    try await withPublisher(rabbitMQ()) { publisher async throws in
      #expect(await publisher.publish([], deadline: .now).isEmpty)
    }
  }

  @Test func `a message that no queue wants is returned`() async throws {
    try await withPublisher(rabbitMQ()) { publisher async throws in
      let nowhere = TestEnvironment.uniqueName("nowhere")
      let results = await publisher.publish([message("lost", to: nowhere)], deadline: .now + .seconds(20))
      #expect(results == [.returned])
    }
  }

  @Test func `results stand in the order of the messages`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let nowhere = TestEnvironment.uniqueName("nowhere")
        let messages = (0..<90).map { message("m\($0)", to: $0.isMultiple(of: 3) ? nowhere : queue) }
        let results = await publisher.publish(messages, deadline: .now + .seconds(20))
        let expected: [PublishResult] = (0..<90).map { $0.isMultiple(of: 3) ? .returned : .confirmed }
        #expect(results == expected)
      }
      try await eventuallyReady(60, in: queue)
    }
  }

  /// The return carries exchange and routing key too: a message without an id must not take the blame for its
  /// neighbour.
  @Test func `a returned message without an id is told from its neighbours`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let nowhere = TestEnvironment.uniqueName("nowhere")
        let results = await publisher.publish(
          [message(nil, to: queue), message(nil, to: nowhere), message(nil, to: queue)], deadline: .now + .seconds(20))
        #expect(results == [.confirmed, .returned, .confirmed])
      }
    }
  }

  @Test func `a returned message is told from a routed one with the same id`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let nowhere = TestEnvironment.uniqueName("nowhere")
        let results = await publisher.publish(
          [message("same", to: queue), message("same", to: nowhere)], deadline: .now + .seconds(20))
        #expect(results == [.confirmed, .returned])
      }
    }
  }

  @Test(arguments: ["classic", "quorum"])
  func `a full queue refuses`(_ type: String) async throws {
    let full: [String: RabbitMQValue] = [
      "x-queue-type": .string(type), "x-max-length": .integer(1), "x-overflow": .string("reject-publish"),
    ]
    try await withQueue(full) { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        #expect(await publisher.publish([message("first", to: queue)], deadline: .now + .seconds(20)) == [.confirmed])
        // A quorum queue notices a little late that it is full.
        try await eventually("the queue refuses a message") {
          await publisher.publish([message("more", to: queue)], deadline: .now + .seconds(20)) == [.nacked]
        }
      }
    }
  }

  @Test func `a body of 2 MiB comes back unchanged, with its properties`() async throws {
    var doubled = Data(0...255)
    while doubled.count < 2 << 20 { doubled.append(doubled) }
    let body = doubled
    var sent = message("big-1", to: "", body: body)
    sent.properties.type = "test.big"
    sent.properties.contentType = "application/octet-stream"
    sent.properties.correlationID = "correlation ümläut"
    sent.properties.timestamp = 1_700_000_000
    sent.properties.headers = [
      "text": .string("häder 🦊"), "empty": .string(""), "count": .integer(-9_000_000_000), "yes": .bool(true),
      "no": .bool(false),
    ]
    try await withQueue { queue in
      sent.routingKey = queue
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let results = await publisher.publish([sent], deadline: .now + .seconds(30))
        #expect(results == [.confirmed])
      }
      let received = try await collect(queue) { $0.count == 1 }
      let delivery = try #require(received.first)
      #expect(delivery.body == body)
      #expect(delivery.properties.messageID == "big-1")
      #expect(delivery.properties.type == "test.big")
      #expect(delivery.properties.contentType == "application/octet-stream")
      #expect(delivery.properties.correlationID == "correlation ümläut")
      #expect(delivery.properties.timestamp == 1_700_000_000)
      for (name, value) in sent.properties.headers {
        #expect(delivery.properties.headers[name] == value, "header \(name)")
      }
      #expect(delivery.exchange.isEmpty)
      #expect(delivery.routingKey == queue)
      #expect(!delivery.redelivered)
    }
  }

  @Test func `an empty body and empty properties are a message too`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let results = await publisher.publish(
          [message(nil, to: queue, body: Data())], deadline: .now + .seconds(20))
        #expect(results == [.confirmed])
      }
      let received = try await collect(queue) { $0.count == 1 }
      #expect(received.first?.body == Data())
      #expect(received.first?.properties.messageID == nil)
    }
  }

  /// Each of these fills the window alone: the next must go out as soon as its confirm is there.
  @Test func `large messages follow one another without a pause`() async throws {
    try await withQueue { queue in
      try await withPublisher(rabbitMQ()) { publisher async throws in
        try await eventually("the publisher is ready") { publisher.isReady }
        let body = Data(count: 1_200_000)
        let messages = (0..<12).map { message("m\($0)", to: queue, body: body) }
        let took = await duration {
          let results = await publisher.publish(messages, deadline: .now + .seconds(40))
          #expect(results == Array(repeating: PublishResult.confirmed, count: 12))
        }
        #expect(took < .seconds(6))
      }
    }
  }

  @Test func `5,000 messages from 20 tasks are all confirmed and each received once`() async throws {
    try await withQueue { queue in
      let ids = Set((0..<20).flatMap { task in (0..<250).map { "\(task)-\($0)" } })
      try await withPublisher(rabbitMQ()) { publisher async throws in
        let confirmed = await withTaskGroup(of: Int.self) { group in
          for task in 0..<20 {
            group.addTask {
              var confirmed = 0
              // Batches of several sizes, one after the other.
              for start in stride(from: 0, to: 250, by: task + 1) {
                let batch = (start..<min(start + task + 1, 250)).map { message("\(task)-\($0)", to: queue) }
                let results = await publisher.publish(batch, deadline: .now + .seconds(50))
                confirmed += results.count { $0 == .confirmed }
              }
              return confirmed
            }
          }
          var sum = 0
          for await confirmed in group { sum += confirmed }
          return sum
        }
        #expect(confirmed == 5_000)
      }
      let received = try await collect(queue) { $0.count >= 5_000 }
      #expect(received.count == 5_000)
      #expect(Set(received.compactMap(\.properties.messageID)) == ids)
      #expect(!received.contains { $0.redelivered })
    }
  }
}
