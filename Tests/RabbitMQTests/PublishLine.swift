import Foundation

@testable import RabbitMQ

/// Messages are named by numbers: the ticket's index is the number, and the message id its text.
struct PublishLine {
  var ledger = PublishLedger()
  let now = ContinuousClock.now

  mutating func add(_ number: Int, size: Int = 1, id: String? = nil, patience: Duration = .seconds(60)) {
    ledger.add(
      PublishLedger.Entry(
        ticket: .init(batch: 1, index: number),
        message: message(id ?? "\(number)", to: "q", body: Data(count: size)),
        deadline: now + patience))
  }

  /// Writes all that may be written, and returns the ids.
  mutating func write() -> [String] {
    var written: [String] = []
    while let message = ledger.next() { written.append(message.properties.messageID ?? "none") }
    return written
  }

  /// The broker gives a message back that went to the queue of every other one.
  mutating func returned(messageID: String?) {
    var properties = RabbitMQProperties()
    properties.messageID = messageID
    ledger.returned(
      FrameAssembler.Content(
        announcement: .returned(code: 312, exchange: "", routingKey: "q"), properties: properties, body: Data()))
  }

  mutating func acknowledge(_ tag: UInt64, multiple: Bool = false) -> [PublishLedger.Resolution] {
    ledger.confirmed(tag, multiple: multiple, positive: true)
  }
}

/// A resolution of the message with this number.
func resolved(_ number: Int, _ outcome: PublishOutcome) -> PublishLedger.Resolution {
  PublishLedger.Resolution(ticket: .init(batch: 1, index: number), outcome: outcome)
}
