internal import Foundation
internal import HTTPTypes
internal import WhatsApp

/// Reads the fields of a JSON object and collects all that are invalid, so that the client gets one complete answer.
struct FieldDecoder {
  private let object: [String: JSONValue]
  private let path: String
  private(set) var problems: [Problem.Field] = []

  /// Throws a 400 where the body is not a JSON object.
  init(body: Data) throws(Problem) {
    let value: JSONValue
    do { value = try JSONReader.value(body) } catch {
      throw Problem(
        .badRequest, "the body is not JSON (RFC 8259) in UTF-8: \(error.problem), at byte \(error.position)")
    }
    guard case .object(let object) = value else { throw Problem(.badRequest, "the body must be a JSON object") }
    self.init(object: object, path: "")
  }

  private init(object: [String: JSONValue], path: String) {
    self.object = object
    self.path = path
  }

  /// The field's value; nil where it is missing or null.
  private func present(_ name: String) -> JSONValue? {
    guard let value = object[name], value != .null else { return nil }
    return value
  }

  private mutating func report(_ name: String, _ detail: String) {
    problems.append(.init(pointer: "\(path)/\(name)", detail: detail))
  }

  /// A string of 1 to `max` Unicode code points, trimmed. Control characters are not allowed.
  ///
  /// Not of characters: a single one may be a letter with thousands of marks.
  mutating func text(_ name: String, max: Int) -> String? {
    guard let value = present(name) else {
      report(name, "is required")
      return nil
    }
    guard case .string(let text) = value else {
      report(name, "must be a string")
      return nil
    }
    return checked(name, text, max: max)
  }

  private mutating func checked(_ name: String, _ text: String, max: Int) -> String? {
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty, trimmed.unicodeScalars.count <= max else {
      report(name, "must have 1 to \(max) characters (Unicode code points)")
      return nil
    }
    let forbidden: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator]
    guard !trimmed.unicodeScalars.contains(where: { forbidden.contains($0.properties.generalCategory) }) else {
      report(name, "must not contain control characters")
      return nil
    }
    return trimmed
  }

  /// A person's name, as messages to customers repeat it: without characters that nobody sees, and not a link, because
  /// whoever sends a booking chooses both the name and the number that gets the message.
  mutating func personName(_ field: String, max: Int) -> String? {
    guard case .string(let text)? = present(field) else { return self.text(field, max: max) }
    guard let name = checked(field, PersonName.withoutInvisible(text), max: max) else { return nil }
    guard !PersonName.containsLink(name) else {
      report(field, "must be a name, without a web or e-mail address")
      return nil
    }
    return name
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
    present(name) == nil ? nil : uuid(name)
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
    let isPhone = text.utf8.allSatisfy { Self.phoneBytes.contains($0) } && !text.dropFirst().utf8.contains(0x2b)
    guard isPhone, let digits = PhoneNumber.digits(of: text), !digits.hasPrefix("0") else {
      report(name, "must be a telephone number, such as +5511987654321 or (11) 98765-4321")
      return nil
    }
    return "+" + digits
  }

  private static let phoneBytes = Set("0123456789 ().-+".utf8)

  mutating func object<Value>(_ name: String, _ decode: (inout FieldDecoder) -> Value?) -> Value? {
    guard let value = present(name) else {
      report(name, "is required")
      return nil
    }
    guard case .object(let nested) = value else {
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
