/// A server's reply to a command.
package enum RedisReply: Sendable, Equatable {
  /// No value, or one of a type that this client does not know.
  case null
  /// A status such as `OK`.
  case status(String)
  case integer(Int)
  case string([UInt8])
  case array([RedisReply])
  /// An error inside an array; a whole reply that is an error is thrown instead.
  case error(String)

  /// The value as text, where it is a string or a status.
  package var text: String? {
    switch self {
    case .string(let bytes): String(decoding: bytes, as: UTF8.self)
    case .status(let text): text
    default: nil
    }
  }
}
