internal import Foundation
internal import HTTPTypes
internal import WhatsApp

/// Reads the fields of a JSON object and collects all that are invalid, so that the client gets one complete answer.
struct FieldDecoder {
  private let object: [String: Any]
  private let path: String
  private(set) var problems: [Problem.Field] = []

  /// Throws a 400 where the body is not a JSON object.
  init(body: Data) throws(Problem) {
    guard let parsed = try? JSONSerialization.jsonObject(with: body) else {
      throw Problem(.badRequest, "the body is not JSON")
    }
    guard let object = parsed as? [String: Any] else { throw Problem(.badRequest, "the body must be a JSON object") }
    self.init(object: object, path: "")
  }

  private init(object: [String: Any], path: String) {
    self.object = object
    self.path = path
  }

  private mutating func report(_ name: String, _ detail: String) {
    problems.append(.init(pointer: "\(path)/\(name)", detail: detail))
  }

  /// A string of 1 to `max` characters, trimmed. Control characters are not allowed.
  mutating func text(_ name: String, max: Int) -> String? {
    guard let value = object[name], !(value is NSNull) else {
      report(name, "is required")
      return nil
    }
    guard let text = value as? String else {
      report(name, "must be a string")
      return nil
    }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty, trimmed.count <= max else {
      report(name, "must have 1 to \(max) characters")
      return nil
    }
    guard !trimmed.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      report(name, "must not contain control characters")
      return nil
    }
    return trimmed
  }

  mutating func uuid(_ name: String) -> UUID? {
    guard let text = text(name, max: 100) else { return nil }
    guard let uuid = UUID(uuidString: text) else {
      report(name, "must be a UUID")
      return nil
    }
    return uuid
  }

  /// A UUID; a missing field is not a problem.
  mutating func optionalUUID(_ name: String) -> UUID? {
    guard let value = object[name], !(value is NSNull) else { return nil }
    return uuid(name)
  }

  mutating func instant(_ name: String) -> Date? {
    guard let text = text(name, max: 100) else { return nil }
    guard let instant = RFC3339.parse(text) else {
      report(name, RFC3339.requirement)
      return nil
    }
    return instant
  }

  /// A phone number, formatted or not, returned as `+` and digits. Without a country code it is Brazilian.
  mutating func phone(_ name: String) -> String? {
    guard let text = text(name, max: 40) else { return nil }
    guard text.wholeMatch(of: /\+?[0-9 ().\-]+/) != nil, let digits = PhoneNumber.digits(of: text),
      !digits.hasPrefix("0")
    else {
      report(name, "must be a telephone number, such as +5511987654321 or (11) 98765-4321")
      return nil
    }
    return "+" + digits
  }

  mutating func object<Value>(_ name: String, _ decode: (inout FieldDecoder) -> Value?) -> Value? {
    guard let value = object[name], !(value is NSNull) else {
      report(name, "is required")
      return nil
    }
    guard let nested = value as? [String: Any] else {
      report(name, "must be an object")
      return nil
    }
    var decoder = FieldDecoder(object: nested, path: "\(path)/\(name)")
    let result = decode(&decoder)
    problems += decoder.problems
    return result
  }

  /// Throws a 422 that lists all problems, if there are any.
  func throwIfInvalid() throws(Problem) {
    guard !problems.isEmpty else { return }
    throw Problem(.unprocessableContent, "some fields are invalid; nothing was accepted", fields: problems)
  }
}
