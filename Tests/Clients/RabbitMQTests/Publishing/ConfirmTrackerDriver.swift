import Foundation

@testable import RabbitMQ

/// Messages are named by numbers: the position's index is the number, and the message id its text.
struct ConfirmTrackerDriver {
  var tracker = ConfirmTracker()
  let now = ContinuousClock.now

  @discardableResult
  mutating func add(
    _ number: Int, size: Int = 1, id: String? = nil, exchange: String = "", header: Int = 0,
    timeout: Duration = .seconds(60)
  ) -> ConfirmTracker.Resolution? {
    var message = message(id ?? "\(number)", to: "q", exchange: exchange, body: Data(count: size))
    if header > 0 { message.properties.headers["large"] = .string(String(repeating: "x", count: header)) }
    return tracker.add(
      ConfirmTracker.Entry(
        position: .init(batch: 1, index: number),
        message: message,
        deadline: now + timeout))
  }

  /// Writes all that may be written, and returns the ids.
  mutating func write() -> [String] {
    var written: [String] = []
    while let message = tracker.next() { written.append(message.properties.messageID ?? "none") }
    return written
  }

  /// The broker returns a message; all messages have the same destination.
  mutating func returned(messageID: String?) {
    var properties = RabbitMQProperties()
    properties.messageID = messageID
    tracker.returned(
      FrameAssembler.Content(
        announcement: .returned(exchange: "", routingKey: "q"), properties: properties, body: Data()))
  }

  mutating func acknowledge(_ tag: UInt64, multiple: Bool = false) -> [ConfirmTracker.Resolution] {
    tracker.confirmed(tag, multiple: multiple, positive: true)
  }
}

/// A resolution of the message with this number.
func resolved(_ number: Int, _ result: PublishResult) -> ConfirmTracker.Resolution {
  ConfirmTracker.Resolution(position: .init(batch: 1, index: number), result: result)
}
