internal import Foundation
internal import HTTPTypes
internal import WhatsApp

/// Reads fields of a JSON object and collects what is wrong with them, so that a client learns all of it at once.
struct FieldDecoder {
  private let object: [String: Any]
  private let path: String
  private(set) var problems: [Problem.Field] = []

  /// Parses a body; throws a 400 where it is no JSON object.
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

  /// A text, trimmed; nil with a note where it is missing, no text, too long, or holds control characters.
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

  /// A UUID.
  mutating func uuid(_ name: String) -> UUID? {
    guard let text = text(name, max: 100) else { return nil }
    guard let uuid = UUID(uuidString: text) else {
      report(name, "must be a UUID")
      return nil
    }
    return uuid
  }

  /// A UUID that may be left out.
  mutating func optionalUUID(_ name: String) -> UUID? {
    guard let value = object[name], !(value is NSNull) else { return nil }
    return uuid(name)
  }

  /// An instant with its offset, to the second.
  mutating func instant(_ name: String) -> Date? {
    guard let text = text(name, max: 100) else { return nil }
    guard let instant = RFC3339.parse(text) else {
      report(name, RFC3339.hint)
      return nil
    }
    return instant
  }

  /// A telephone number as people write it, in international form; one without a country code is Brazilian.
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

  /// A nested object's fields.
  mutating func object<Value>(_ name: String, _ read: (inout FieldDecoder) -> Value?) -> Value? {
    guard let value = object[name], !(value is NSNull) else {
      report(name, "is required")
      return nil
    }
    guard let nested = value as? [String: Any] else {
      report(name, "must be an object")
      return nil
    }
    var reader = FieldDecoder(object: nested, path: "\(path)/\(name)")
    let result = read(&reader)
    problems += reader.problems
    return result
  }

  /// Throws a 422 with all notes, if there are any.
  func throwIfInvalid() throws(Problem) {
    guard !problems.isEmpty else { return }
    throw Problem(.unprocessableContent, "some fields are wrong; nothing was kept", fields: problems)
  }
}

/// Instants as the API takes and gives them.
enum RFC3339 {
  static let hint = "must be a date and time with its offset, such as 2026-11-24T14:00:00-03:00, from 2000 to 2099"

  /// Reads RFC 3339 to the second, with `Z` or an offset; nil for anything else, or a year outside 2000 to 2099.
  static func parse(_ text: String) -> Date? {
    let form = /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-](\d\d):(\d\d))/
    guard let match = text.wholeMatch(of: form), let date = try? Date(text, strategy: .iso8601) else { return nil }
    let hours = match.2.flatMap { Int($0) } ?? 0
    let minutes = match.3.flatMap { Int($0) } ?? 0
    let sign = match.1.hasPrefix("-") ? -1 : 1
    guard let zone = TimeZone(secondsFromGMT: sign * (hours * 3_600 + minutes * 60)) else { return nil }
    // Foundation turns the 30th of February into a day of March: what was read must be what is written.
    return Self.text(date, in: zone).prefix(19) == text.prefix(19) ? date : nil
  }

  /// Writes RFC 3339 in the zone given, GMT by default.
  static func text(_ date: Date, in zone: TimeZone = .gmt) -> String {
    date.formatted(
      Date.ISO8601FormatStyle(timeZone: zone).year().month().day().timeZone(separator: .colon).time(
        includingFractionalSeconds: false
      ).dateTimeSeparator(.standard))
  }
}
