import Foundation

/// Prints a value as JSON for programs: keys sorted, instants in ISO 8601, indented unless it is one of many lines.
func printJSON(_ value: some Encodable, isIndented: Bool = true) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
  encoder.dateEncodingStrategy = .iso8601
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
