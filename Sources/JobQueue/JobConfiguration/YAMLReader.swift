internal import Jobs
internal import Yams

/// Reads typed values out of a YAML tree. A problem is collected with its place, and reading goes on.
struct YAMLReader {
  private(set) var problems: [ConfigurationProblem] = []

  /// - Parameter node: where it is; nil: the whole file.
  mutating func report(_ node: Node?, _ message: String) {
    problems.append(
      ConfigurationProblem(line: node?.mark?.line ?? 0, column: node?.mark?.column ?? 0, message: message))
  }

  /// A mapping's values by key; unknown keys are reported with the nearest known one.
  mutating func mapping(_ node: Node, _ path: String, keys: [String]) -> [String: Node] {
    var values: [String: Node] = [:]
    for (key, name, value) in pairs(node, path) {
      if keys.contains(name) {
        values[name] = value
      } else {
        report(key, "unknown key \"\(name)\" in \(path)" + didYouMean(name, keys))
      }
    }
    return values
  }

  /// A mapping's entries in the file's order.
  mutating func pairs(_ node: Node, _ path: String) -> [(key: Node, name: String, value: Node)] {
    guard let mapping = node.mapping else {
      report(node, "\(path) must be a mapping (key: value), not \(Self.describe(node))")
      return []
    }
    return mapping.map { ($0.key, $0.key.string ?? "", $0.value) }
  }

  mutating func integer(_ node: Node?, _ path: String, _ range: ClosedRange<Int>) -> Int? {
    guard let node else { return nil }
    guard let value = node.int, range.contains(value) else {
      report(
        node,
        "\(path) must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(Self.describe(node))")
      return nil
    }
    return value
  }

  mutating func number(_ node: Node?, _ path: String, _ range: ClosedRange<Double>) -> Double? {
    guard let node else { return nil }
    guard let value = node.float, range.contains(value) else {
      report(
        node, "\(path) must be a number from \(range.lowerBound) to \(range.upperBound), not \(Self.describe(node))")
      return nil
    }
    return value
  }

  /// A duration such as `200ms`, `30s`, `2m`, `1h` or `7d`, within a range.
  /// - Parameter reason: why the value may not be longer; nil: it needs no explanation.
  mutating func duration(
    _ node: Node?, _ path: String, _ range: ClosedRange<Duration>, reason: String? = nil
  ) -> Duration? {
    guard let node else { return nil }
    guard let text = node.scalar?.string, let value = Self.duration(text) else {
      report(node, "\(path) must be a duration such as 200ms, 30s, 2m or 1h, not \(Self.describe(node))")
      return nil
    }
    guard range.contains(value) else {
      report(
        node,
        "\(path) must lie between \(range.lowerBound.compactText) and \(range.upperBound.compactText), not \(text)"
          + (value > range.upperBound ? reason.map { ": \($0)" } ?? "" : ""))
      return nil
    }
    return value
  }

  /// A rate such as `80/s` or `600/m`.
  mutating func rate(_ node: Node, _ path: String, besideBatch: Bool) -> RateLimit? {
    if besideBatch { report(node, "\(path) cannot stand beside batch: a batch begins as one") }
    guard let text = node.string, let match = text.wholeMatch(of: /([0-9]{1,7})\/(s|m|h)/), let count = Int(match.1),
      count > 0
    else {
      report(node, "\(path) must be a number of jobs per s, m or h, such as 80/s, not \(Self.describe(node))")
      return nil
    }
    return RateLimit(count: count, per: match.2 == "s" ? .seconds(1) : match.2 == "m" ? .seconds(60) : .seconds(3_600))
  }

  mutating func word(_ node: Node?, _ path: String, oneOf words: [String]) -> String? {
    guard let node else { return nil }
    guard let text = node.string, words.contains(text) else {
      let hint = node.string.map { didYouMean($0, words) } ?? ""
      report(node, "\(path) must be one of \(words.joined(separator: ", ")), not \(Self.describe(node))" + hint)
      return nil
    }
    return text
  }

  mutating func list(_ node: Node?, _ path: String) -> [Node] {
    guard let node else { return [] }
    guard let sequence = node.sequence else {
      report(node, "\(path) must be a list, not \(Self.describe(node))")
      return []
    }
    return Array(sequence)
  }

  func didYouMean(_ text: String, _ candidates: some Sequence<String>) -> String {
    nearest(to: text, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  static func describe(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): scalar.string.isEmpty ? "empty" : "\"\(scalar.string)\""
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  /// Seconds in each unit a duration may have.
  private static let units: [(suffix: String, seconds: Double)] = [
    ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400),
  ]

  static func duration(_ text: String) -> Duration? {
    for (suffix, seconds) in units where text.hasSuffix(suffix) {
      // More than ten years is a typing error, and far more would overflow.
      guard let count = Double(text.dropLast(suffix.count)), count >= 0, count * seconds <= 3_650 * 86_400 else {
        continue
      }
      return .milliseconds(Int64((count * seconds * 1000).rounded()))
    }
    return nil
  }
}
