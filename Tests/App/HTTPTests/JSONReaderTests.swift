import Foundation
import TestServers
import Testing

@testable import HTTP

struct JSONReaderTests {
  private func read(_ text: String) throws -> JSONValue { try JSONReader.value(Data(text.utf8)) }

  @Test func `every kind of value is read`() throws {
    let text =
      #" { "a" : [ true , false , null , -1.5e+3 , 0 ] , "b\u00e9\n\ud83d\ude00" : "x\"\\\/\b\f\r\t" , "c" : {} } "#
    #expect(
      try read(text)
        == .object([
          "a": .array([.bool(true), .bool(false), .null, .number("-1.5e+3"), .number("0")]),
          "bé\n😀": .string("x\"\\/\u{8}\u{c}\r\t"), "c": .object([:]),
        ]))
  }

  @Test(arguments: [
    "", " ", "{", "[", "\"", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[,]", "{,}", "[1 2]", "{} {}", "01", "-",
    "1.", ".5",
    "1e", "+1", "0x1", "tru", "True", "NaN", "Infinity", "'a'", "{a:1}", "// c\n{}", "\"\t\"", "\"\\x\"", "\"\\u12\"",
    "\"\\ud800\"", "\"\\ud800x\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u١٢٣٤\"", "١", "\u{feff}{}",
    "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"e\u{301}\":1,\"\u{e9}\":2}",
  ])
  func `anything else is refused`(_ text: String) { #expect(throws: JSONReader.Failure.self) { try read(text) } }

  @Test func `nesting is bounded, however deep a body goes`() throws {
    let deep = { (count: Int) in String(repeating: "[", count: count) + String(repeating: "]", count: count) }
    #expect(throws: Never.self) { try read(deep(JSONReader.depthMax)) }
    #expect(throws: JSONReader.Failure.self) { try read(deep(JSONReader.depthMax + 2)) }
    #expect(throws: JSONReader.Failure.self) { try read(String(repeating: "[", count: 60_000)) }
  }

  @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32, .isoLatin1])
  func `other encodings than UTF-8 are refused`(_ encoding: String.Encoding) throws {
    let body = try #require(#"{"name": "José"}"#.data(using: encoding))
    #expect(throws: JSONReader.Failure.self) { try JSONReader.value(body) }
  }

  /// Texts that are almost JSON, drawn from a seed.
  private static func text(_ seed: UInt64) -> Data {
    var random = SeededRandom(seed: seed)
    let sample =
      #"{"service_id": "3f0c", "n": [1, -2.5e10, true, null, {"é": "\u00e9\ud83d\ude00"}], "customer": {"name": "Ana"}}"#
    var bytes = Array(sample.utf8)
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: index)
      case 2: bytes.insert(Array(#"{}[],:"\ 0"#.utf8).randomElement(using: &random) ?? 0, at: index)
      default: bytes.removeSubrange(index...)
      }
      if bytes.isEmpty { break }
    }
    return Data(bytes)
  }

  @Test func `what it takes Foundation takes too, and no text traps`() {
    var taken = 0
    for seed in 0..<5_000 as Range<UInt64> {
      let body = Self.text(seed)
      guard (try? JSONReader.value(body)) != nil else { continue }
      taken += 1
      #expect(throws: Never.self, "seed \(seed)") { try JSONSerialization.jsonObject(with: body) }
    }
    #expect(taken > 1_000)
  }
}
