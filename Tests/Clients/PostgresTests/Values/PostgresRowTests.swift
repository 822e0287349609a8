import Foundation
import Postgres
import Testing

/// Columns of a result, by number and by name, as the type asked for.
@Suite(.timeLimit(.minutes(1)))
struct PostgresRowTests {
  private enum Level: String { case low, high }
  private enum Step: Int { case first = 1 }

  @Test func `columns are read by name`() async throws {
    let connection = try await observer()
    let rows = try await connection.query("SELECT n AS number, 'n' || n AS \"label\" FROM generate_series(1, 3) n")
    #expect(try rows.map { try $0.decode("number", as: Int.self) } == [1, 2, 3])
    #expect(try rows.map { try $0.decode("label", as: String.self) } == ["n1", "n2", "n3"])
  }

  @Test func `a column of that name may be NULL`() async throws {
    let connection = try await observer()
    let row = try await connection.query("SELECT NULL::int AS absent, 1 AS present")[0]
    #expect(try row.decodeIfPresent("absent", as: Int.self) == nil)
    #expect(try row.decodeIfPresent("present", as: Int.self) == 1)
    #expect(failure { try row.decode("absent", as: Int.self) } == "absent: Int, NULL")
  }

  @Test func `of two columns with one name the first is read`() async throws {
    let connection = try await observer()
    let row = try await connection.query("SELECT 1 AS twice, 2 AS twice")[0]
    #expect(try row.decode("twice", as: Int.self) == 1)
    #expect(try row.decode(1, as: Int.self) == 2)
  }

  @Test func `a column that is not there is an error that names it`() async throws {
    let connection = try await observer()
    let row = try await connection.query("SELECT 1 AS number")[0]
    #expect(failure { try row.decode("nubmer", as: Int.self) } == "nubmer: Int, no such column")
    #expect(failure { try row.decodeIfPresent("Number", as: Int.self) } == "Number: Int, no such column")
    #expect(failure { try row.decode(1, as: Int.self) } == "1: Int, no such column")
    #expect(failure { try row.decode(-1, as: Int.self) } == "-1: Int, no such column")
  }

  @Test func `enums are read from their raw values`() async throws {
    let connection = try await observer()
    let row = try await connection.query("SELECT 'high' AS level, 1 AS step, NULL AS nothing, 'middle' AS other")[0]
    #expect(try row.decode("level", as: Level.self) == .high)
    #expect(try row.decode(0, as: Level.self) == .high)
    #expect(try row.decode("step", as: Step.self) == .first)
    #expect(try row.decodeIfPresent("level", as: Level.self) == .high)
    #expect(try row.decodeIfPresent("nothing", as: Level.self) == nil)
    #expect(failure { try row.decode("nothing", as: Level.self) } == "nothing: Level, NULL")
    #expect(failure { try row.decode("other", as: Level.self) } == "other: Level, an unknown value")
    #expect(failure { try row.decodeIfPresent("other", as: Level.self) } == "other: Level, an unknown value")
  }

  @Test func `a value of another size is refused`() async throws {
    let connection = try await observer()
    let row = try await connection.query("SELECT 'abc'::text, 1::int, true")[0]
    #expect(failure { try row.decode(0, as: Int.self) } == "0: Int, the type with OID 25")
    #expect(failure { try row.decode(1, as: Bool.self) } == "1: Bool, the type with OID 23")
    #expect(failure { try row.decode(2, as: UUID.self) } == "2: UUID, the type with OID 16")
  }

  /// Eight bytes are not always a number: the column's type decides.
  @Test func `a value of the same size but another type is refused`() async throws {
    let connection = try await observer()
    let row = try await connection.query("SELECT 1.5::float8, now(), 1::bigint")[0]
    #expect(throws: PostgresError.self) { try row.decode(0, as: Int.self) }
    #expect(throws: PostgresError.self) { try row.decode(1, as: Int.self) }
    #expect(throws: PostgresError.self) { try row.decode(2, as: Double.self) }
    #expect(throws: PostgresError.self) { try row.decode(2, as: Date.self) }
  }

  /// The decoding error's parts; nil where nothing, or something else, is thrown.
  private func failure(_ decode: () throws -> some Any) -> String? {
    do {
      _ = try decode()
      return nil
    } catch PostgresError.decoding(let column, let expected, let found) {
      return "\(column): \(expected), \(found)"
    } catch {
      return nil
    }
  }
}
