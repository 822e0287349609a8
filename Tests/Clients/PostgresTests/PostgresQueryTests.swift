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
    #expect(Int64.max.postgresParameter == .text("9223372036854775807"))
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

struct PostgresDateTests {
  private func text(_ seconds: Double) -> String { Date(timeIntervalSince1970: seconds).postgresTimestamp }

  @Test func `dates carry microseconds, in UTC`() {
    #expect(text(0) == "1970-01-01T00:00:00.000000Z")
    #expect(text(1_700_000_000.123456) == "2023-11-14T22:13:20.123456Z")
    #expect(text(951_826_245.5) == "2000-02-29T12:10:45.500000Z")
    #expect(text(1.000001) == "1970-01-01T00:00:01.000001Z")
  }

  @Test func `a fraction that rounds up carries into the seconds`() {
    #expect(text(0.9999996) == "1970-01-01T00:00:01.000000Z")
    #expect(text(59.9999999) == "1970-01-01T00:01:00.000000Z")
  }

  @Test func `dates before 1970`() {
    #expect(text(-1) == "1969-12-31T23:59:59.000000Z")
    #expect(text(-1.5) == "1969-12-31T23:59:58.500000Z")
    #expect(text(-0.000001) == "1969-12-31T23:59:59.999999Z")
    #expect(text(-2_208_988_800) == "1900-01-01T00:00:00.000000Z")
  }

  @Test func `dates beyond what a timestamp text can say are the infinities`() {
    #expect(text(253_402_300_800) == "infinity")
    #expect(Date.distantFuture.postgresTimestamp == "4001-01-01T00:00:00.000000Z")
    #expect(Date.distantPast.postgresTimestamp == "-infinity")
    #expect(text(.infinity) == "infinity")
    #expect(text(-.infinity) == "-infinity")
  }

  /// PostgreSQL counts in the Gregorian calendar throughout; Foundation's calendars change to the Julian one before 1582-10-15.
  @Test func `a date before 1582 keeps its day`() {
    #expect(text(-30_610_224_000) == "1000-01-01T00:00:00.000000Z")
    #expect(text(-62_135_596_800) == "0001-01-01T00:00:00.000000Z")
  }
}

struct PostgresConfigurationTests {
  @Test func `the server's name holds neither user nor password`() throws {
    let configuration = try PostgresConfiguration(url: "postgres://anna:hunter2@db.example:5433/app?sslmode=disable")
    #expect(configuration.serverName == "db.example:5433/app")
    #expect(try PostgresConfiguration(url: "postgresql://db/app").serverName == "db:5432/app")
  }

  @Test(arguments: ["", "no url at all", "mysql://db/app", "postgres:///app", "postgres:app", "://", "hunter2@db/app"])
  func `URLs that cannot be used are refused, without being repeated`(_ url: String) {
    let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
    #expect(error?.kind == "invalidURL")
    #expect(error?.description.contains("hunter2") == false)
  }

  @Test func `which errors are contention, and which say that the server is away`() {
    func server(_ state: String) -> PostgresError { .server(.init(sqlState: state, constraint: nil, message: "")) }
    for state in ["40001", "40P01", "55P03"] {
      #expect(server(state).isContention)
      #expect(!server(state).isUnavailable)
    }
    for state in ["57P01", "57P02", "57P03", "53300"] { #expect(server(state).isUnavailable) }
    for error in [
      PostgresError.connectionLost, .connectionPoolExhausted(size: 1), .connectionFailed(server: "", reason: ""),
    ] {
      #expect(error.isUnavailable)
      #expect(!error.isContention)
    }
    for error in [PostgresError.commitInDoubt, .deadlineExceeded, server("23505"), .decoding(column: 0, expected: "")] {
      #expect(!error.isUnavailable)
      #expect(!error.isContention)
    }
  }
}
