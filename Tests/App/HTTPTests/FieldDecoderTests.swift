import Foundation
import HTTPTypes
import Testing

@testable import HTTP

struct FieldDecoderTests {
  private func decoder(_ json: String) throws -> FieldDecoder { try FieldDecoder(body: Data(json.utf8)) }

  @Test(arguments: ["", "{", "[]", "null", "1"])
  func `a body that is not a JSON object is refused`(_ body: String) {
    #expect(throws: Problem.self) { try decoder(body) }
  }

  @Test func `valid fields are read`() throws {
    let id = UUID()
    var fields = try decoder(
      #"{"id": "\#(id)", "name": "  Maria ", "phone": "(11) 98765-4321", "at": "2026-11-24T17:00:00Z", "inner": {"x": "y"}}"#
    )
    #expect(fields.uuid("id") == id)
    #expect(fields.text("name", max: 5) == "Maria")
    #expect(fields.phone("phone") == "+5511987654321")
    #expect(fields.instant("at") == Date(timeIntervalSince1970: 1_795_539_600))
    #expect(fields.object("inner") { $0.text("x", max: 1) } == "y")
    #expect(fields.optionalUUID("missing") == nil)
    try fields.throwIfInvalid()
  }

  @Test func `all problems are reported at once, with pointers and without values`() throws {
    var fields = try decoder(
      #"{"id": "secret", "name": "\u0007", "long": "abc", "phone": "secret", "at": "secret", "inner": {"x": 1}}"#)
    _ = fields.uuid("id")
    _ = fields.text("name", max: 5)
    _ = fields.text("long", max: 2)
    _ = fields.phone("phone")
    _ = fields.instant("at")
    _ = fields.object("inner") { $0.text("x", max: 1) }
    _ = fields.object("other") { $0.text("x", max: 1) }
    let problem = try #require(throws: Problem.self) { try fields.throwIfInvalid() }
    #expect(problem.status == .unprocessableContent)
    #expect(
      problem.fields.map(\.pointer) == ["/id", "/name", "/long", "/phone", "/at", "/inner/x", "/other"])
    #expect(problem.fields.last?.detail == "is required")
    #expect(!problem.fields.contains { $0.detail.contains("secret") })
  }

  private func name(_ value: String) throws -> (name: String?, isRefused: Bool) {
    let body = try JSONSerialization.data(withJSONObject: ["name": value])
    var fields = try FieldDecoder(body: body)
    let name = fields.personName("name", max: 200)
    return (name, !fields.problems.isEmpty)
  }

  @Test func `a name is bounded by its code points, not by what is seen`() throws {
    #expect(try name(String(repeating: "ã", count: 200)).name != nil)
    #expect(try name(String(repeating: "a", count: 201)).isRefused)
    #expect(try name("a" + String(repeating: "\u{301}", count: 30_000)).isRefused)
  }

  @Test(arguments: [
    ("Ma\u{200b}ria", "Maria"), ("\u{202e}airaM", "airaM"), ("\u{feff}Ana\u{2069} \u{200f}Lu\u{ad}a", "Ana Lua"),
    ("José D'Ávila-Nuñez Jr.", "José D'Ávila-Nuñez Jr."), ("Dr.Caio", "Dr.Caio"), ("J.R.R. Silva", "J.R.R. Silva"),
    ("李小龍", "李小龍"), ("Maria 😀", "Maria 😀"),
  ])
  func `what nobody sees is left out of a name`(_ text: String, _ expected: String) throws {
    #expect(try name(text).name == expected)
  }

  @Test(arguments: [
    "http://evil.example", "Ganhe em https://x.y/z", "www.evil", "WWW.Evil.Example", "evil.com", "clique evil.com.br!",
    "x.io/abc", "evil.example/pay", "a@b.c", "evil.CO", "e\u{200b}vil.c\u{200b}om", "evil.com:80",
  ])
  func `a link is not a name`(_ text: String) throws { #expect(try name(text).isRefused) }

  @Test(arguments: ["\u{200b}", "\u{3164}", "\u{2060}\u{2060}", " ", "a\u{2028}b", "a\nb"])
  func `a name that shows nothing, or more than one line, is refused`(_ text: String) throws {
    #expect(try name(text).isRefused)
  }

  @Test(arguments: ["١١٩٨٧٦٥٤٣٢١", "(11) 9８765-4321", "11+987654321", "1e10", "+55 11 98765-4321\u{301}"])
  func `digits of other scripts are not a phone number`(_ text: String) throws {
    let body = try JSONSerialization.data(withJSONObject: ["phone": text])
    var fields = try FieldDecoder(body: body)
    #expect(fields.phone("phone") == nil)
  }
}
