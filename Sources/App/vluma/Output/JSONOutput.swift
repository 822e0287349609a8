import Foundation

/// Prints a value as JSON for programs: keys in snake_case and sorted, instants in RFC 3339 with milliseconds.
///
/// - Parameter isIndented: false prints one line, for output that repeats.
func printJSON(_ value: some Encodable, isIndented: Bool = true) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.dateEncodingStrategy = .custom { date, encoder in
    var container = encoder.singleValueContainer()
    try container.encode(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
  }
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// A property that JSON shows as null where it is nil; without this wrapper its key would be left out.
@propertyWrapper
struct NullIfUnknown<Value: Encodable>: Encodable {
  var wrappedValue: Value?

  init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}

extension NullIfUnknown: Equatable where Value: Equatable {}
extension NullIfUnknown: Hashable where Value: Hashable {}
extension NullIfUnknown: Sendable where Value: Sendable {}
