internal import ClientLoop
internal import Crypto
internal import Foundation

/// Assembles the method, header and body frames of one channel into messages: a state machine without I/O.
///
/// A body that is larger than ``bodyMax`` is not kept: its frames are hashed and dropped, so that what another program
/// has published can be settled like any other message, in bounded memory.
struct FrameAssembler {
  /// The method that precedes the content.
  enum Announcement: Equatable {
    case delivery(tag: UInt64, redelivered: Bool, exchange: String, routingKey: String)
    case returned(exchange: String, routingKey: String)
  }

  struct Content: Equatable {
    let announcement: Announcement
    let properties: RabbitMQProperties
    /// Empty where it was omitted.
    let body: Data
    /// nil: the body is whole.
    var omittedBody: OmittedBody?
  }

  /// The largest body that is kept, in bytes.
  let bodyMax: Int
  private var announcement: Announcement?
  private var properties = RabbitMQProperties()
  private var body = Data()
  private var size = 0
  private var missing = 0
  /// nil: the body is kept.
  private var hash: SHA256?

  /// The size in a header is only a claim: no more than this is allocated before the bytes arrive.
  private static let reservedMax = 1 << 20

  init(bodyMax: Int = RabbitMQMessage.bodyMax) { self.bodyMax = bodyMax }

  /// A method that content follows.
  mutating func announce(_ announcement: Announcement) { self.announcement = announcement }

  /// The content header; a message without a body is complete here.
  mutating func header(_ properties: RabbitMQProperties, bodySize: Int) -> Content? {
    self.properties = properties
    size = bodySize
    missing = bodySize
    body = Data()
    hash = bodySize > bodyMax ? SHA256() : nil
    if hash == nil { body.reserveCapacity(min(bodySize, Self.reservedMax)) }
    return finishIfComplete()
  }

  /// A piece of the body; what exceeds the announced size, which no broker sends, is dropped.
  mutating func body(_ bytes: UnsafeRawBufferPointer) -> Content? {
    let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(max(0, missing)))
    if hash == nil { body.append(contentsOf: piece) } else { hash?.update(bufferPointer: piece) }
    missing -= piece.count
    return finishIfComplete()
  }

  private mutating func finishIfComplete() -> Content? {
    guard missing <= 0, let announcement else { return nil }
    defer {
      self.announcement = nil
      body = Data()
      hash = nil
    }
    let omitted = hash.map { OmittedBody(size: size, sha256: $0.finalize().hexEncoded) }
    return Content(announcement: announcement, properties: properties, body: body, omittedBody: omitted)
  }
}
