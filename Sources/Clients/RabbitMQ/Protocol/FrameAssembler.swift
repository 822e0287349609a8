internal import Foundation

/// Puts the method, header and body frames of one channel together into whole messages: a state machine without I/O.
struct FrameAssembler {
  /// What announced the content that is being received.
  enum Announcement: Equatable {
    case delivery(tag: UInt64, redelivered: Bool, exchange: String, routingKey: String)
    case returned(code: Int, exchange: String, routingKey: String)
    case got(tag: UInt64, redelivered: Bool, exchange: String, routingKey: String)
  }

  /// A whole message.
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

  /// The content header; a message without a body is whole here.
  mutating func header(_ properties: RabbitMQProperties, bodySize: Int) -> Content? {
    self.properties = properties
    missing = bodySize
    body = Data()
    body.reserveCapacity(bodySize)
    return finishIfWhole()
  }

  /// A piece of the body.
  mutating func body(_ bytes: UnsafeRawBufferPointer) -> Content? {
    body.append(contentsOf: bytes)
    missing -= bytes.count
    return finishIfWhole()
  }

  private mutating func finishIfWhole() -> Content? {
    guard missing <= 0, let announcement else { return nil }
    defer {
      self.announcement = nil
      body = Data()
    }
    return Content(announcement: announcement, properties: properties, body: body)
  }
}
