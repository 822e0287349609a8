import Foundation
import Jobs
import RabbitMQ
import Testing

@testable import JobsRabbitMQ

/// The ids of messages whose own cannot be read.
struct ContentIDTests {
  private static let body = Data(#"{"event":"ping"}"#.utf8)

  private func properties(_ change: (inout RabbitMQProperties) -> Void = { _ in }) -> RabbitMQProperties {
    var properties = RabbitMQProperties()
    properties.messageID = "not-a-uuid"
    properties.type = "test.kind"
    properties.timestamp = 1_790_000_000
    properties.headers = ["one": .string("1"), "two": .integer(2)]
    change(&properties)
    return properties
  }

  private func id(_ properties: RabbitMQProperties, queue: String = "test", body: Data = body) -> JobID {
    properties.contentID(queue: queue, body: body)
  }

  @Test func `two messages of one body are two dead letters`() {
    let ids = [
      id(properties()), id(properties { $0.messageID = "another" }), id(properties { $0.messageID = nil }),
      id(properties { $0.messageID = "" }), id(properties { $0.type = nil }),
      id(properties { $0.correlationID = "c" }), id(properties { $0.timestamp = 1_790_000_001 }),
      id(properties { $0.headers["one"] = .integer(1) }), id(properties { $0.headers["three"] = .bool(true) }),
      id(properties(), queue: "other"),
    ]
    #expect(Set(ids).count == ids.count)
    #expect(id(properties(), body: Data("{}".utf8)) != ids[0])
  }

  @Test func `fields that are joined otherwise are another message`() {
    let (left, right) = (
      id(properties { ($0.messageID, $0.type) = ("ab", "c") }), id(properties { ($0.messageID, $0.type) = ("a", "bc") })
    )
    #expect(left != right)
  }

  @Test func `a copy of a message has its id, whatever the broker has added`() {
    let copy = properties {
      $0.headers["x-death"] = .unsupported
      $0.headers["x-first-death-reason"] = .string("delivery_limit")
      $0.contentType = "text/plain"
    }
    #expect(id(copy) == id(properties()))
  }

  @Test func `the id is a UUIDv8 and the same in every release`() {
    #expect("\(id(properties()))" == "a4432df7-f182-849a-85b1-3048d420bce8")
  }
}
