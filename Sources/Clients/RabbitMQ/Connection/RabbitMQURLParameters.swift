internal import Foundation

/// The query parameters of a RabbitMQ URL; unknown and repeated ones are refused.
struct RabbitMQURLParameters {
  private static let forAll: Set = ["heartbeat", "connection_timeout"]
  private static let forTLS: Set = ["cacertfile", "certfile", "keyfile", "verify", "server_name_indication"]

  private var values: [String: String] = [:]

  init(_ query: Substring, isEncrypted: Bool) throws(RabbitMQError) {
    for piece in query.split(separator: "&") {
      let halves = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = try RabbitMQURL.decoded(halves[0], "query")
      // Text that is not a name may be the rest of a password: it is not repeated.
      guard halves.count == 2, !name.isEmpty, name.utf8.allSatisfy(Self.isOfNames) else {
        throw .invalidURL("its query is not parameter=value&... (a password's ? is written %3F, a path's & %26)")
      }
      guard values[name] == nil else { throw .invalidURL("its parameter \(name) is given twice") }
      values[name] = try RabbitMQURL.decoded(halves[1], name)
    }
    let names = Set(values.keys)
    let known = Self.forAll.union(Self.forTLS)
    let unknown = names.subtracting(known)
    guard unknown.isEmpty else {
      throw .invalidURL("it has unknown parameters: \(Self.list(unknown)); known are \(Self.list(known))")
    }
    let misplaced = isEncrypted ? [] : names.intersection(Self.forTLS)
    guard misplaced.isEmpty else {
      throw .invalidURL("it has parameters that are for amqps:// only: \(Self.list(misplaced))")
    }
  }

  private static func isOfNames(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }

  private static func list(_ names: Set<String>) -> String { names.sorted().joined(separator: ", ") }

  subscript(name: String) -> String? { values[name] }

  func number(_ name: String, in range: ClosedRange<Int>) throws(RabbitMQError) -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .invalidURL("its \(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// The path of a file, which must be readable: an error at start instead of connections that always fail.
  func file(_ name: String) throws(RabbitMQError) -> String? {
    guard let path = values[name] else { return nil }
    guard Self.canRead(path) else { throw .invalidURL("its \(name) cannot be read: \(path)") }
    return path
  }

  static func canRead(_ path: String) -> Bool { FileManager.default.contents(atPath: path) != nil }
}
