/// One SQL statement with its parameters, written as an interpolated string.
///
///     let query: PostgresQuery = "SELECT name FROM business WHERE id = \(id)"
///
/// Every interpolated value becomes a bound parameter (`$1`, `$2` ...), never text of the statement. The server
/// infers a parameter's type from where it stands; add a cast (`\(ids)::uuid[]`) where it cannot.
package struct PostgresQuery: Sendable, ExpressibleByStringInterpolation {
  /// The statement with its placeholders.
  package private(set) var sql: String
  /// The parameters in order.
  package private(set) var parameters: [PostgresParameter]

  /// A statement without parameters.
  package init(stringLiteral value: String) {
    sql = value
    parameters = []
  }

  /// The statement with the parameters its interpolations have bound.
  package init(stringInterpolation: StringInterpolation) {
    sql = stringInterpolation.sql
    parameters = stringInterpolation.parameters
  }

  /// Collects the statement's text and its bound values.
  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql = ""
    fileprivate var parameters: [PostgresParameter] = []

    /// Starts an empty statement, with room for what is coming.
    package init(literalCapacity: Int, interpolationCount: Int) {
      sql.reserveCapacity(literalCapacity + 3 * interpolationCount)
      parameters.reserveCapacity(interpolationCount)
    }

    /// Puts the program's own text into the statement.
    package mutating func appendLiteral(_ literal: String) { sql += literal }

    /// Binds a value.
    package mutating func appendInterpolation(_ value: some PostgresEncodable) {
      parameters.append(value.postgresParameter)
      sql += "$\(parameters.count)"
    }

    /// Binds a value, or NULL.
    package mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
      parameters.append(value?.postgresParameter ?? .null)
      sql += "$\(parameters.count)"
    }

    /// Puts trusted text into the statement: names chosen by the program, never anything from outside.
    package mutating func appendInterpolation(unsafe text: String) { sql += text }
  }
}
