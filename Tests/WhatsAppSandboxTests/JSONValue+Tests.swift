@testable import WhatsAppSandbox

extension JSONValue {
  /// nil: not a boolean.
  var boolValue: Bool? {
    guard case .bool(let flag) = self else { return nil }
    return flag
  }

  /// The first value of an array.
  var first: JSONValue? { arrayValue?.first }

  /// The same object with another member; nil: without it.
  func with(_ name: String, _ value: JSONValue?) -> JSONValue {
    guard case .object(var members) = self else { return self }
    members[name] = value
    return .object(members)
  }

  /// The paths of all members, each with its type.
  var shape: Set<String> {
    switch self {
    case .object(let members): Set(members.flatMap { name, value in value.shape.map { ".\(name)\($0)" } })
    case .array(let values): Set(values.flatMap { value in value.shape.map { "[]\($0)" } })
    case .string: [": text"]
    case .integer, .number: [": number"]
    case .bool: [": flag"]
    case .null: [": null"]
    }
  }

  /// The value of a webhook's first change.
  var change: JSONValue? { self["entry"]?.first?["changes"]?.first?["value"] }
}
