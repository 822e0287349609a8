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
}
