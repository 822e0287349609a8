/// One SQL statement with its parameters, written as an interpolated string.
///
///     let query: PostgresQuery = "SELECT name FROM business WHERE id = \(id)"
///
/// Every interpolated value becomes a bound parameter (`$1`, `$2` ...), never text of the statement. The server
/// infers a parameter's type from its place in the statement; add a cast (`\(ids)::uuid[]`) where it cannot.
public struct PostgresQuery: Sendable, ExpressibleByStringInterpolation {
  /// The statement with its placeholders.
  let sql: String
  let parameters: [PostgresParameter]

  /// Takes a statement without values.
  public init(stringLiteral value: String) {
    sql = value
    parameters = []
  }

  /// Takes a statement whose values are parameters.
  public init(stringInterpolation: StringInterpolation) {
    sql = stringInterpolation.sql
    parameters = stringInterpolation.parameters
  }

  /// Collects a statement: its literals become SQL, its values parameters.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql = ""
    fileprivate var parameters: [PostgresParameter] = []

    /// Starts an empty statement.
    public init(literalCapacity: Int, interpolationCount: Int) {
      sql.reserveCapacity(literalCapacity + 3 * interpolationCount)
      parameters.reserveCapacity(interpolationCount)
    }

    /// Adds SQL from the program's own text.
    public mutating func appendLiteral(_ literal: String) { sql += literal }

    /// Adds a value as a parameter.
    public mutating func appendInterpolation(_ value: some PostgresEncodable) {
      parameters.append(value.postgresParameter)
      sql += "$\(parameters.count)"
    }

    /// Binds the value, or NULL for nil.
    public mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
      parameters.append(value?.postgresParameter ?? .null)
      sql += "$\(parameters.count)"
    }

    /// Inserts text into the statement: names chosen by the program, never input.
    public mutating func appendInterpolation(unsafe text: String) { sql += text }
  }
}
