import Foundation

/// How tests read the JSON that commands print.
enum CommandJSON {
  /// Decodes an instant in RFC 3339 with milliseconds; any other form is an error.
  @Sendable static func date(_ decoder: any Decoder) throws -> Date {
    let text = try decoder.singleValueContainer().decode(String.self)
    return try Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
