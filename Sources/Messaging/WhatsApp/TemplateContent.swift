/// A template's name with the values for its places.
package struct TemplateContent: Sendable, Equatable {
  /// The template's name at the provider.
  package let name: String
  /// The language it was approved in.
  package let language: String
  /// The values of the body's places, in order.
  package let parameters: [String]
  /// What the quick-reply buttons send back, in their order; empty: the template has none.
  package let quickReplies: [String]

  /// A body may have 1,024 characters (Unicode scalars) with its own text, which here is shorter than 174.
  private static let parametersMax = 850

  /// Takes the values after cleaning them: what the provider would refuse (line breaks, tabs, more than four spaces in
  /// a row, nothing at all, too much; its errors 132005 and 132018) is replaced, so that a customer's odd name cannot
  /// keep the message from being sent. Where they are too long together, the longest are cut.
  package init(name: String, language: String = "pt_BR", parameters: [String], quickReplies: [QuickReply] = []) {
    self.name = name
    self.language = language
    let cleaned = parameters.map(Self.clean)
    let most = Self.limit(cleaned.map(\.unicodeScalars.count))
    self.parameters = cleaned.map { Self.cut($0, to: most) }
    self.quickReplies = quickReplies.map(\.payload)
  }

  /// The text in one line, with single spaces.
  private static func clean(_ text: String) -> String {
    // Nothing beyond this is ever shown, and it need not be read.
    let start = text.unicodeScalars.prefix(parametersMax * 2)
    let words = start.split { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
    let line = words.map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
    return line.isEmpty ? "-" : line
  }

  /// The most that each may have so that all together fit.
  private static func limit(_ lengths: [Int]) -> Int {
    var left = parametersMax
    for (place, length) in lengths.sorted().enumerated() {
      let even = left / (lengths.count - place)
      if length > even { return even }
      left -= length
    }
    return parametersMax
  }

  private static func cut(_ text: String, to most: Int) -> String {
    guard text.unicodeScalars.count > most else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(max(0, most - 1)))) + "…"
  }
}
