internal import Foundation

/// Assembles the method, header and body frames of one channel into messages: a state machine without I/O.
struct FrameAssembler {
  /// The method that precedes the content.
  enum Announcement: Equatable {
    case delivery(tag: UInt64, redelivered: Bool, exchange: String, routingKey: String)
    case returned(exchange: String, routingKey: String)
  }

  struct Content: Equatable {
    let announcement: Announcement
    let properties: RabbitMQProperties
    let body: Data
  }

  private var announcement: Announcement?
  private var properties = RabbitMQProperties()
  private var body = Data()
  private var missing = 0

  /// A method that content follows.
  mutating func announce(_ announcement: Announcement) { self.announcement = announcement }

  /// The content header; a message without a body is complete here.
  mutating func header(_ properties: RabbitMQProperties, bodySize: Int) -> Content? {
    self.properties = properties
    missing = bodySize
    body = Data()
    body.reserveCapacity(bodySize)
    return finishIfComplete()
  }

  /// A piece of the body.
  mutating func body(_ bytes: UnsafeRawBufferPointer) -> Content? {
    body.append(contentsOf: bytes)
    missing -= bytes.count
    return finishIfComplete()
  }

  private mutating func finishIfComplete() -> Content? {
    guard missing <= 0, let announcement else { return nil }
    defer {
      self.announcement = nil
      body = Data()
    }
    return Content(announcement: announcement, properties: properties, body: body)
  }
}
