internal import Foundation
internal import Jobs
internal import RabbitMQ

extension RabbitMQProperties {
  /// A stable id for a message that has no readable one: a hash of the queue, the properties that identify a message,
  /// the publisher's headers and the body. The broker's own headers (`x-death` and others) change with each way through
  /// it and are left out.
  func contentID(queue: String, body: Data, _ omittedBody: OmittedBody? = nil) -> JobID {
    var digest = ContentDigest()
    digest.append(queue)
    for property in [messageID, type, correlationID, timestamp.map(String.init)] { digest.append(property) }
    for (name, value) in headers.filter({ !$0.key.hasPrefix("x-") }).sorted(by: { $0.key < $1.key }) {
      digest.append(name)
      digest.append(Self.text(value))
    }
    digest.append(body)
    if let omittedBody { digest.append(omittedBody.sha256) }
    return JobID(digest.uuid)
  }

  /// The value with its type, so that `1` and `"1"` differ.
  private static func text(_ value: RabbitMQValue) -> String {
    switch value {
    case .string(let text): "s\(text)"
    case .integer(let number): "i\(number)"
    case .bool(let isTrue): "b\(isTrue)"
    case .unsupported: "?"
    }
  }
}
