/// One SQL statement with its parameters, written as an interpolated string.
///
///     let query: PostgresQuery = "SELECT name FROM business WHERE id = \(id)"
///
/// Every interpolated value becomes a bound parameter (`$1`, `$2` ...), never text of the statement. The server
/// infers a parameter's type from where it stands; add a cast (`\(ids)::uuid[]`) where it cannot.
public struct PostgresQuery: Sendable, ExpressibleByStringInterpolation {
  /// The statement with its placeholders.
  public private(set) var sql: String
  /// The parameters in order.
  public private(set) var parameters: [PostgresParameter]

  /// A statement without parameters.
  public init(stringLiteral value: String) {
    sql = value
    parameters = []
  }

  /// The statement with the parameters its interpolations have bound.
  public init(stringInterpolation: StringInterpolation) {
    sql = stringInterpolation.sql
    parameters = stringInterpolation.parameters
  }

  /// Collects the statement's text and its bound values.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql = ""
    fileprivate var parameters: [PostgresParameter] = []

    /// Starts an empty statement, with room for what is coming.
    public init(literalCapacity: Int, interpolationCount: Int) {
      sql.reserveCapacity(literalCapacity + 3 * interpolationCount)
      parameters.reserveCapacity(interpolationCount)
    }

    /// Puts the program's own text into the statement.
    public mutating func appendLiteral(_ literal: String) { sql += literal }

    /// Binds a value.
    public mutating func appendInterpolation(_ value: some PostgresEncodable) {
      parameters.append(value.postgresParameter)
      sql += "$\(parameters.count)"
    }

    /// Binds a value, or NULL.
    public mutating func appendInterpolation(_ value: (some PostgresEncodable)?) {
      parameters.append(value?.postgresParameter ?? .null)
      sql += "$\(parameters.count)"
    }

    /// Puts trusted text into the statement: names chosen by the program, never anything from outside.
    public mutating func appendInterpolation(unsafe text: String) { sql += text }
  }
}
