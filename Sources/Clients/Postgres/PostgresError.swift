/// What can go wrong between this process and PostgreSQL.
///
/// `description` is safe to log: it never carries the server's message text, which may quote personal data.
/// That text is in `debugDescription` only.
package enum PostgresError: Error, Sendable {
  /// The URL cannot be used; the text says why and never repeats the URL.
  case invalidURL(String)
  /// No connection could be made to the named server; the reason is libpq's, which names hosts and users only.
  case connectionFailed(server: String, reason: String)
  /// The connection broke. Inside a transaction nothing took effect; a single statement outside of one may have.
  case connectionLost
  /// The connection broke, or time ran out, while a commit was under way: it may or may not have happened.
  case commitInDoubt
  /// The statement's deadline passed; it was cancelled on the server, its transaction is rolled back.
  case deadlineExceeded
  /// Every connection of the pool stayed busy until the deadline; the pool has this many.
  case connectionPoolExhausted(size: Int)
  /// The server refused a statement.
  case server(ServerError)
  /// A column could not be read as the type asked for.
  case decoding(column: Int, expected: String)
  /// The client cannot go on (out of memory or of file descriptors).
  case client(String)

  /// What the server said of a refused statement.
  package struct ServerError: Sendable {
    /// The five characters that identify the condition (PostgreSQL's appendix A).
    package let sqlState: String
    /// The constraint that was violated, if one was.
    package let constraint: String?
    /// The server's own words; may quote values, so it is not for logs.
    package let message: String
  }

  /// The server's five-character condition code, where the server refused a statement.
  package var sqlState: String? {
    if case .server(let error) = self { error.sqlState } else { nil }
  }

  /// True for a serialization failure (40001), a deadlock (40P01), or a lock that took too long (55P03): the
  /// same transaction may succeed when run again.
  package var isContention: Bool {
    switch sqlState {
    case "40001", "40P01", "55P03": true
    default: false
    }
  }

  /// True where the server could not be reached or was lost: nothing is wrong with the statement.
  package var isUnavailable: Bool {
    switch self {
    case .connectionFailed, .connectionLost, .connectionPoolExhausted: true
    // 57P01-57P03: the server is shutting down, crashed or starting. 53100, 53200, 53300: it is out of disk, memory or
    // connections. 25006: it takes no writes, as after a failover.
    case .server(let error): ["57P01", "57P02", "57P03", "53100", "53200", "53300", "25006"].contains(error.sqlState)
    default: false
    }
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  /// A sentence that is safe to log: of what the server said it tells SQLSTATE and constraint only.
  package var description: String {
    switch self {
    case .invalidURL(let why): "the PostgreSQL URL cannot be used: \(why)"
    case .connectionFailed(let server, let reason): "cannot connect to PostgreSQL at \(server): \(reason)"
    case .connectionLost: "the connection to PostgreSQL was lost"
    case .commitInDoubt: "the connection to PostgreSQL was lost during a commit, which may have happened"
    case .deadlineExceeded: "PostgreSQL did not answer before the deadline"
    case .connectionPoolExhausted(let size): "all \(size) PostgreSQL connections stayed busy until the deadline"
    case .server(let error):
      "PostgreSQL refused a statement (SQLSTATE \(error.sqlState)"
        + (error.constraint.map { ", constraint \($0)" } ?? "") + ")"
    case .decoding(let column, let expected): "result column \(column) is not a \(expected)"
    case .client(let what): "the PostgreSQL client failed: \(what)"
    }
  }

  /// The description and the server's own words, which may quote values: for developers, not for logs.
  package var debugDescription: String {
    if case .server(let error) = self { "\(description): \(error.message)" } else { description }
  }
}
