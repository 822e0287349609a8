import Foundation
import Testing

@testable import Postgres

struct PostgresQueryTests {
  @Test func `a plain text has no parameters`() {
    let query: PostgresQuery = "SELECT 1"
    #expect(query.sql == "SELECT 1")
    #expect(query.parameters.isEmpty)
  }

  @Test func `every interpolated value becomes a numbered parameter`() {
    let (name, age) = ("O'Neill; DROP TABLE x --", 42)
    let query: PostgresQuery = "INSERT INTO t VALUES (\(name), \(age), \(name))"
    #expect(query.sql == "INSERT INTO t VALUES ($1, $2, $3)")
    #expect(query.parameters == [.text(name), .text("42"), .text(name)])
  }

  @Test func `more than nine parameters keep their numbers`() {
    let query: PostgresQuery =
      "\(1)\(2)\(3)\(4)\(5)\(6)\(7)\(8)\(9)\(10)\(11)"
    #expect(query.sql == "$1$2$3$4$5$6$7$8$9$10$11")
    #expect(query.parameters == (1...11).map { PostgresParameter.text("\($0)") })
  }

  @Test func `nil is NULL, and a present optional is its value`() {
    let (nothing, something): (Int?, Int?) = (nil, 3)
    let query: PostgresQuery = "SELECT \(nothing), \(something)"
    #expect(query.sql == "SELECT $1, $2")
    #expect(query.parameters == [.null, .text("3")])
  }

  @Test func `trusted text is part of the statement and shifts no number`() {
    let query: PostgresQuery = "SELECT \(1) FROM \(unsafe: "a.b") WHERE x = \(2)"
    #expect(query.sql == "SELECT $1 FROM a.b WHERE x = $2")
    #expect(query.parameters == [.text("1"), .text("2")])
  }

  @Test func `values in PostgreSQL's text format`() throws {
    let id = try #require(UUID(uuidString: "6F1B0B5E-4A0C-4E5B-9D3B-0C1D2E3F4A5B"))
    #expect(true.postgresParameter == .text("t"))
    #expect(false.postgresParameter == .text("f"))
    #expect(Int.min.postgresParameter == .text("-9223372036854775808"))
    #expect(Int.max.postgresParameter == .text("9223372036854775807"))
    #expect(1.5.postgresParameter == .text("1.5"))
    #expect(id.postgresParameter == .text("6F1B0B5E-4A0C-4E5B-9D3B-0C1D2E3F4A5B"))
    #expect("".postgresParameter == .text(""))
  }

  @Test func `bytes go as they are`() {
    let bytes = Data([0, 255, 39, 92])
    #expect(bytes.postgresParameter == .binary(bytes))
  }

  @Test func `arrays quote what an array literal must quote`() {
    #expect([String]().postgresParameter == .text("{}"))
    #expect(["a", ""].postgresParameter == .text(#"{"a",""}"#))
    #expect(
      [#"say "hi""#, #"C:\dir\"#, "a,b", "{x}"].postgresParameter == .text(#"{"say \"hi\"","C:\\dir\\","a,b","{x}"}"#))
    #expect(["NULL", "null"].postgresParameter == .text(#"{"NULL","null"}"#))
    #expect(["zoë 🦊\n"].postgresParameter == .text("{\"zoë 🦊\n\"}"))
    #expect([1, -2].postgresParameter == .text("{1,-2}"))
    #expect([true, false].postgresParameter == .text("{t,f}"))
    #expect([Data([0, 171])].postgresParameter == .text(#"{"\\x00ab"}"#))
  }

  @Test func `nil inside an array is NULL`() {
    let names: [String?] = ["a", nil, "NULL"]
    #expect(names.postgresParameter == .text(#"{"a",NULL,"NULL"}"#))
  }

  @Test func `a combining mark does not hide a quote`() {
    // One character of two scalars: a quote with an accent on it.
    #expect(["\"\u{301}"].postgresParameter == .text("{\"\\\"\u{301}\"}"))
  }
}
