import Foundation
import JobConfiguration
import Jobs
import JobsRabbitMQ
import JobsTesting
import RabbitMQ
import TestServers
import Testing

/// Messages from elsewhere whose properties are no job's.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct UnreadableEnvelopeTests {
  private static let body = Data("{\"name\":\"Ágnes\"}".utf8)

  /// Properties of a job, before a test spoils them.
  private func properties() -> RabbitMQProperties {
    var properties = RabbitMQProperties()
    properties.messageID = "\(JobID())"
    properties.type = "test.kind"
    return properties
  }

  /// Publishes a message as another program might, and returns what arrives in the pool.
  private func delivery(of properties: RabbitMQProperties) async throws -> JobDelivery {
    try await withAppliedTopology { broker, configuration async throws in
      let pool = configuration.pools[0].name
      let publisher = RabbitMQPublisher(try rabbitMQ(), name: "another program", logger: logger)
      let running = Task { await publisher.run() }
      defer { running.cancel() }
      let message = RabbitMQMessage(
        exchange: Topology.jobsExchange, routingKey: pool.rawValue, properties: properties, body: Self.body)
      let outcomes = await publisher.publish([message], deadline: .now + .seconds(20))
      #expect(outcomes == [.confirmed])
      let arrived = try await DeliveryReader(broker.subscribe(pool: pool, capacity: 1)).wait(for: 1)
      arrived[0].acknowledge()
      return arrived[0]
    }
  }

  /// Requires that the message is unreadable for a reason that names `word`, with its body intact.
  private func expectUnreadable(_ properties: RabbitMQProperties, naming word: String) async throws {
    let delivery = try await delivery(of: properties)
    guard case .unreadable(let reason) = delivery.content else {
      Issue.record("\(properties) was read as a job")
      return
    }
    #expect(reason.contains(word))
    #expect(delivery.body == Self.body)
    #expect(delivery.deadLetterInfo == nil)
  }

  @Test func `a header too long for the frame of a retry is unreadable`() async throws {
    var properties = properties()
    properties.headers["traceparent"] = .string(String(repeating: "0", count: 100_000))
    try await expectUnreadable(properties, naming: "traceparent")
  }

  @Test func `a message without an id is unreadable`() async throws {
    var properties = properties()
    properties.messageID = nil
    try await expectUnreadable(properties, naming: "message_id")
  }

  @Test(arguments: ["", "42", "not-a-uuid", "0198c0de-0000-7000-8000-00000000000g"])
  func `a message whose id is no UUID is unreadable`(_ id: String) async throws {
    var properties = properties()
    properties.messageID = id
    try await expectUnreadable(properties, naming: "message_id")
  }

  @Test(arguments: [nil, ""] as [String?])
  func `a message without a kind is unreadable`(_ type: String?) async throws {
    var properties = properties()
    properties.type = type
    try await expectUnreadable(properties, naming: "type")
  }

  @Test(
    arguments: ["vluma-attempt", "vluma-run", "vluma-schema-version"],
    [.string("three"), .integer(-1), .integer(.max), .bool(true)] as [RabbitMQValue])
  func `a message with a silly count is unreadable`(_ header: String, _ value: RabbitMQValue) async throws {
    var properties = properties()
    properties.headers[header] = value
    try await expectUnreadable(properties, naming: header)
  }

  @Test func `an attempt before the first is unreadable`() async throws {
    var properties = properties()
    properties.headers["vluma-attempt"] = .integer(0)
    try await expectUnreadable(properties, naming: "vluma-attempt")
  }

  @Test func `a message with id and kind alone is a job's first attempt`() async throws {
    let properties = properties()
    let envelope = try #require(try await delivery(of: properties).envelope)
    #expect("\(envelope.id)" == properties.messageID)
    #expect(envelope.kind == "test.kind")
    #expect(envelope.run == 1)
    #expect(envelope.attempt == 1)
    #expect(envelope.schemaVersion == 1)
    #expect(envelope.tenant == nil)
    #expect(envelope.deadline == nil)
    #expect(envelope.body == Self.body)
    #expect(abs(envelope.enqueuedAt.timeIntervalSinceNow) < 60)
  }
}
