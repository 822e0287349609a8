internal import Foundation

/// Prometheus' text format (0.0.4): families of samples.
struct PrometheusText {
  private(set) var string = ""

  /// Begins a family; its samples follow.
  mutating func family(_ name: String, help: String?, type: String) {
    if let help { string += "# HELP \(name) \(Self.escaped(help))\n" }
    string += "# TYPE \(name) \(type)\n"
  }

  /// Adds a sample; nil: the value is unknown, and nothing is added.
  mutating func sample(_ name: String, labels: [(String, String)] = [], value: Double?) {
    sample(name, labelText: Self.string(labels), value: value)
  }

  mutating func sample(_ name: String, labelText: String, value: Double?) {
    guard let value else { return }
    string += labelText.isEmpty ? "\(name) \(Self.string(value))\n" : "\(name){\(labelText)} \(Self.string(value))\n"
  }

  /// `a="b",c="d"`, values escaped as the format requires.
  static func string(_ labels: [(String, String)]) -> String {
    labels.map { "\($0)=\"\(escaped($1).replacing("\"", with: "\\\""))\"" }.joined(separator: ",")
  }

  static func string(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }
}
