internal import Foundation

/// Prometheus' text format (0.0.4): families of samples.
struct PrometheusText {
  private(set) var string = ""

  /// Begins a family; its samples follow.
  mutating func family(_ name: String, help: String?, type: String) {
    if let help { string += "# HELP \(name) \(Self.escaped(help))\n" }
    string += "# TYPE \(name) \(type)\n"
  }

  /// Adds a sample; one without a value is unknown and left out.
  mutating func sample(_ name: String, labels: [(String, String)], value: Double?) {
    sample(name, labelText: Self.text(labels), value: value)
  }

  /// The same with labels that are text already.
  mutating func sample(_ name: String, labelText: String, value: Double?) {
    guard let value else { return }
    string += labelText.isEmpty ? "\(name) \(Self.text(value))\n" : "\(name){\(labelText)} \(Self.text(value))\n"
  }

  /// `a="b",c="d"`, values escaped as the format asks.
  static func text(_ labels: [(String, String)]) -> String {
    labels.map { "\($0)=\"\(escaped($1).replacing("\"", with: "\\\""))\"" }.joined(separator: ",")
  }

  /// A number as the format wants it: `+Inf`, `-Inf` and `NaN` included.
  static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }
}
