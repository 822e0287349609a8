/// A template with the values for its places.
package struct TemplateContent: Sendable, Equatable {
  package let name: String
  package let language: String
  /// The values of the body's places, in order.
  package let parameters: [String]
  /// The payloads of the quick-reply buttons, in order; empty: the template has none.
  package let quickReplies: [String]

  /// A body may have 1,024 characters (Unicode scalars) including its own text, which is shorter than 174 here.
  private static let parametersMax = 850

  /// Cleans the values: what the provider would refuse (line breaks, tabs, more than four spaces in a row, empty or too
  /// long values; errors 132005 and 132018) is replaced, so that a customer's unusual name cannot block the message. If
  /// the values are too long together, the longest are cut.
  package init(name: String, language: String = "pt_BR", parameters: [String], quickReplies: [QuickReply] = []) {
    self.name = name
    self.language = language
    let cleaned = parameters.map(Self.clean)
    let most = Self.limit(cleaned.map(\.unicodeScalars.count))
    self.parameters = cleaned.map { Self.cut($0, to: most) }
    self.quickReplies = quickReplies.map(\.payload)
  }

  /// The text in one line, with single spaces, without characters that nobody sees: a bidirectional one in a name would
  /// turn the rest of the message around.
  private static func clean(_ text: String) -> String {
    // What comes after this is never shown.
    let start = text.unicodeScalars.prefix(parametersMax * 2).filter { !$0.properties.isDefaultIgnorableCodePoint }
    let words = start.split { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
    let line = words.map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
    return line.isEmpty ? "-" : line
  }

  /// The length to which each must be cut so that all fit together.
  private static func limit(_ lengths: [Int]) -> Int {
    var remaining = parametersMax
    for (place, length) in lengths.sorted().enumerated() {
      let even = remaining / (lengths.count - place)
      if length > even { return even }
      remaining -= length
    }
    return parametersMax
  }

  private static func cut(_ text: String, to most: Int) -> String {
    guard text.unicodeScalars.count > most else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(max(0, most - 1)))) + "…"
  }
}
