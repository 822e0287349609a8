internal import Foundation

/// A value of a client's JSON.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  /// As it was written: no field of the API is a number.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

/// Reads JSON as RFC 8259 defines it, in UTF-8, and nothing else.
///
/// Foundation's parser also takes trailing commas, UTF-16, and the same name twice, of which readers keep different
/// ones: what one part of a system has checked would not be what another part does.
struct JSONReader {
  /// Why a text is not JSON; repeats nothing of it.
  struct Failure: Error, Equatable {
    let problem: String
    /// The byte it was noticed at, from 0.
    let position: Int
  }

  /// How deep arrays and objects may be nested.
  static let depthMax = 32

  private static let numberStarts = Set("-0123456789".utf8)
  private static let plainEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
    UInt8(ascii: "/"): UInt8(ascii: "/"),
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d,
    UInt8(ascii: "t"): 0x09,
  ]

  private let bytes: [UInt8]
  private var position = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func value(_ body: Data) throws(Failure) -> JSONValue {
    var reader = JSONReader(Array(body))
    if reader.bytes.starts(with: [0xef, 0xbb, 0xbf]) { throw reader.failure("it begins with a byte order mark") }
    // Every place that is read below is then in valid UTF-8.
    if String(validating: reader.bytes, as: UTF8.self) == nil { throw reader.failure("it is not UTF-8") }
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.position == reader.bytes.count else { throw reader.failure("something follows the value") }
    return value
  }

  private func failure(_ problem: String) -> Failure { Failure(problem: problem, position: position) }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> JSONValue {
    guard depth <= Self.depthMax else { throw failure("it is nested too deep") }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where Self.numberStarts.contains(byte): return .number(try number())
    case nil: throw failure("it ends too early")
    default: throw failure("a value is missing")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(Failure) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("a value is missing") }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(Failure) -> [String: JSONValue] {
    position += 1
    var object: [String: JSONValue] = [:]
    skipBlanks()
    if take("}") { return object }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("a name is missing") }
      let name = try string()
      skipBlanks()
      guard take(":") else { throw failure("a colon is missing") }
      let value = try value(depth: depth + 1)
      guard object.updateValue(value, forKey: name) == nil else { throw failure("an object has a name twice") }
      skipBlanks()
    } while take(",")
    guard take("}") else { throw failure("an object does not end") }
    return object
  }

  private mutating func array(depth: Int) throws(Failure) -> [JSONValue] {
    position += 1
    var array: [JSONValue] = []
    skipBlanks()
    if take("]") { return array }
    repeat {
      array.append(try value(depth: depth + 1))
      skipBlanks()
    } while take(",")
    guard take("]") else { throw failure("an array does not end") }
    return array
  }

  private mutating func number() throws(Failure) -> String {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(Failure) {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    if position == start { throw failure("a digit is missing") }
  }

  private mutating func string() throws(Failure) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try escaped()
      case ..<0x20: throw failure("a string has a control character")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw failure("a string does not end")
  }

  /// The bytes that an escape stands for.
  private mutating func escaped() throws(Failure) -> [UInt8] {
    position += 1
    guard let kind = next else { throw failure("a string does not end") }
    if let byte = Self.plainEscapes[kind] {
      position += 1
      return [byte]
    }
    guard kind == UInt8(ascii: "u") else { throw failure("an escape is unknown") }
    position += 1
    let unit = try codeUnit()
    guard (0xd800..<0xe000).contains(unit) else { return Array(String(Unicode.Scalar(unit) ?? "\u{fffd}").utf8) }
    // The first half of a character outside the basic plane; the other half follows.
    guard unit < 0xdc00, take("\\"), take("u") else { throw failure("half a character is missing") }
    let low = try codeUnit()
    guard (0xdc00..<0xe000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xd800) << 10 + (UInt32(low) - 0xdc00))
    else { throw failure("half a character is missing") }
    return Array(String(scalar).utf8)
  }

  private mutating func codeUnit() throws(Failure) -> UInt16 {
    guard position + 4 <= bytes.count else { throw failure("a string does not end") }
    var unit: UInt16 = 0
    for byte in bytes[position..<(position + 4)] {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
      default: throw failure("an escape is unknown")
      }
    }
    position += 4
    return unit
  }
}
