import Foundation
import Logging
import RabbitMQ
import TestServers
import Testing

/// A broker's alarm blocks publishers until it ends.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct AlarmTests {
  private func message(_ text: String, to queue: String) -> RabbitMQMessage {
    RabbitMQMessage(exchange: "", routingKey: queue, properties: .init(), body: Data(text.utf8))
  }

  @Test func `an alarm blocks a publisher without closing its connection, and publishing continues after it`()
    async throws
  {
    try await PrivateServers.with { servers in
      let configuration = try RabbitMQConfiguration(url: servers.rabbitMQ.string)
      let queue = TestEnvironment.uniqueName("alarm")
      try await RabbitMQAdministration.with(configuration) {
        try await $0.declareQueue(queue, arguments: ["x-queue-type": .string("quorum")])
      }
      let publisher = RabbitMQPublisher(
        configuration, name: "alarm", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      try await withThrowingDiscardingTaskGroup { group in
        group.addTask { await publisher.run() }
        try await eventually("the publisher is ready") { publisher.isReady }
        try await servers.rabbitmqctl("set_disk_free_limit", "100000GB")
        // The broker reports its alarm only to a connection that publishes: after the first message.
        let early = await publisher.publish([message("early", to: queue)], deadline: .now + .seconds(2))
        #expect(early == [.lost] || early == [.expired])
        try await eventually("the publisher knows") { !publisher.isReady }
        let waiting = Task {
          await publisher.publish([message("waiting", to: queue)], deadline: .now + .seconds(60))
        }
        let late = await publisher.publish([message("late", to: queue)], deadline: .now + .milliseconds(200))
        #expect(late == [.expired])
        try await servers.rabbitmqctl("set_disk_free_limit", "50MB")
        #expect(await waiting.value == [.confirmed])
        try await eventually("the publisher is ready again") { publisher.isReady }
        group.cancelAll()
      }
    }
  }
}
