internal import ClientLoop

/// One part of a command: text, a number or bytes.
package struct RedisArgument: Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral
{
  let bytes: [UInt8]

  /// The text in UTF-8; an interpolated value becomes part of this one argument, whatever it holds.
  package init(stringLiteral value: String) { bytes = Array(value.utf8) }
  /// The number in decimal digits, as Redis takes numbers.
  package init(integerLiteral value: Int) { bytes = Array(String(value).utf8) }
  package init(_ text: String) { bytes = Array(text.utf8) }
  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
}

/// A command under way: the reply, the deadline or a broken connection finishes it, whichever comes first.
struct RedisRequest: Sendable {
  let arguments: [[UInt8]]
  let deadline: ContinuousClock.Instant
  let reply = Promise<RedisReply>()

  /// What the arguments occupy, in bytes.
  var size: Int { arguments.reduce(0) { $0 + $1.count + 16 } }

  /// The command's name, such as `SET`.
  var name: String { String(decoding: arguments.first ?? [], as: UTF8.self).uppercased() }

  func finish(_ result: Result<RedisReply, any Error>) { reply.resolve(result) }
}
