import Foundation
import TestServers
import Testing

@testable import Postgres

/// Values there and back again, through the real server.
@Suite(.timeLimit(.minutes(1)))
struct PostgresTypeTests {
  @Test func `text`() async throws {
    let connection = try await observer()
    for text in ["", "plain", "O'Neill \"quoted\" \\ back", "zoë 🦊 日本\n\t", "$1 \\x00 NULL"] {
      #expect(try await connection.value("SELECT \(text)::text") == text)
      #expect(try await connection.value("SELECT \(text)::varchar") == text)
      #expect(try await connection.value("SELECT octet_length(\(text)::text)") == text.utf8.count)
    }
  }

  @Test func `whole numbers of every size`() async throws {
    let connection = try await observer()
    for number in [0, 1, -1, Int(Int16.min), Int(Int16.max)] {
      #expect(try await connection.value("SELECT \(number)::smallint") == number)
    }
    for number in [Int(Int32.min), Int(Int32.max)] {
      #expect(try await connection.value("SELECT \(number)::integer") == number)
    }
    for number in [Int.min, Int.max] { #expect(try await connection.value("SELECT \(number)::bigint") == number) }
  }

  @Test func `floating point numbers`() async throws {
    let connection = try await observer()
    for number in [0, 1.5, -0.1, .pi, 1e300, 2.5e-300, .greatestFiniteMagnitude, .infinity, -.infinity] as [Double] {
      #expect(try await connection.value("SELECT \(number)::float8") == number)
    }
    #expect(try await connection.value("SELECT \(Double.nan)::float8", as: Double.self).isNaN)
  }

  @Test func `truth values and UUIDs`() async throws {
    let connection = try await observer()
    #expect(try await connection.value("SELECT \(true)::bool") == true)
    #expect(try await connection.value("SELECT NOT \(true)::bool") == false)
    let id = UUID()
    #expect(try await connection.value("SELECT \(id)::uuid") == id)
    #expect(try await connection.value("SELECT \(id)::uuid::text") == id.uuidString.lowercased())
  }

  @Test func `bytes, all 256 of them`() async throws {
    let connection = try await observer()
    let bytes = Data(0...255)
    #expect(try await connection.value("SELECT \(bytes)::bytea") == bytes)
    #expect(try await connection.value("SELECT length(\(bytes)::bytea)") == 256)
    #expect(try await connection.value("SELECT \(Data())::bytea") == Data())
    #expect(try await connection.value("SELECT (\([bytes, Data()])::bytea[])[1]") == bytes)
  }

  @Test func `dates to the microsecond`() async throws {
    let connection = try await observer()
    for seconds in [0, 1_700_000_000.123456, -1.5, -0.000001, -2_208_988_800.25, 4_102_444_799.75] {
      let date = Date(timeIntervalSince1970: seconds)
      let back: Date = try await connection.value("SELECT \(date)::timestamptz")
      #expect(abs(back.timeIntervalSince(date)) < 0.000_001, "\(seconds)")
      let text: String = try await connection.value(
        "SELECT to_char(\(date)::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
      let sent: PostgresQuery = "\(date)"
      #expect(sent.parameters == [.text(text)])
    }
  }

  @Test func `the ends of time`() async throws {
    let connection = try await observer()
    #expect(try await connection.value("SELECT 'infinity'::timestamptz") == Date.distantFuture)
    #expect(try await connection.value("SELECT '-infinity'::timestamptz") == Date.distantPast)
    #expect(try await connection.value("SELECT isfinite(\(Date(timeIntervalSince1970: 1e12))::timestamptz)") == false)
  }

  @Test func `NULL`() async throws {
    let connection = try await observer()
    let nothing: String? = nil
    let row = try await connection.query("SELECT \(nothing)::text, NULL::int, 1")[0]
    #expect(try row.decodeIfPresent(0, as: String.self) == nil)
    #expect(try row.decodeIfPresent(1, as: Int.self) == nil)
    #expect(try row.decodeIfPresent(2, as: Int.self) == 1)
    let error = #expect(throws: PostgresError.self) { try row.decode(1, as: Int.self) }
    #expect(error?.kind == "decoding")
  }

  @Test func `arrays keep every element as it is`() async throws {
    let connection = try await observer()
    let texts: [String?] = [
      "", "a,b", "{x}", "\"", "\\", "\\\"", nil, "NULL", "null", " blank ", "zoë 🦊", "line\nbreak",
    ]
    let rows = try await connection.query("SELECT unnest(\(texts)::text[])")
    #expect(try rows.map { try $0.decodeIfPresent(0, as: String.self) } == texts)
    let none: [String] = []
    #expect(try await connection.value("SELECT cardinality(\(none)::text[])") == 0)
    let ids = [UUID(), UUID()]
    let found = try await connection.query("SELECT unnest(\(ids)::uuid[])")
    #expect(try found.map { try $0.decode(0, as: UUID.self) } == ids)
    let dates = [Date(timeIntervalSince1970: 0.25), Date(timeIntervalSince1970: -86_400)]
    let days = try await connection.query("SELECT unnest(\(dates)::timestamptz[])")
    #expect(try days.map { try $0.decode(0, as: Date.self) } == dates)
    #expect(try await connection.value("SELECT \([1, 2, 3])::int[] = ARRAY[1, 2, 3]") == true)
    #expect(try await connection.value("SELECT \([true, false])::bool[] = ARRAY[true, false]") == true)
  }

  @Test func `8 MiB of text and of bytes`() async throws {
    let connection = try await observer()
    let text = String(repeating: "0123456789abcde\n", count: 512 * 1_024)
    var doubled = Data(0...255)
    while doubled.count < 8 << 20 { doubled.append(doubled) }
    let bytes = doubled
    let rows = try await connection.run(
      ["SELECT \(text)::text", "SELECT \(bytes)::bytea", "SELECT 1"], deadline: .now + .seconds(40))
    #expect(try rows[0][0].decode(0, as: String.self) == text)
    #expect(try rows[1][0].decode(0, as: Data.self) == bytes)
    #expect(try rows[2][0].decode(0, as: Int.self) == 1)
  }
}
