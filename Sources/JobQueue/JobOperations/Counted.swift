/// `1 job`, `2 jobs`.
package func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }

/// `1 job waits`, `2 jobs wait`.
func waits(_ count: Int, _ noun: String) -> String { counted(count, noun) + (count == 1 ? " waits" : " wait") }

/// `a, b and 3 more`.
func listed(_ names: [String], most: Int = 4) -> String {
  guard names.count > most + 1 else { return names.joined(separator: ", ") }
  return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
}

/// The name as a shell takes it as one word.
func shellQuoted(_ name: some CustomStringConvertible) -> String {
  let text = name.description
  let isPlain = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
  guard !isPlain else { return text }
  return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
}
