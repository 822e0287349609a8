/// An error of the PostgreSQL client.
///
/// `description` is safe to log: it never carries the server's message text, which may quote personal data.
/// That text is in `debugDescription` only.
public enum PostgresError: Error, Sendable {
  /// The URL cannot be used; the text says why and does not repeat the URL.
  case invalidURL(String)
  /// No connection could be made to the named server; the reason is libpq's, which names hosts and users only.
  case connectionFailed(server: String, reason: String)
  /// The connection broke. Inside a transaction nothing took effect; a single statement outside of one may have.
  case connectionLost
  /// The connection broke, or time ran out, while a commit was under way: it may or may not have happened.
  case commitInDoubt
  /// The statement's deadline passed; it was cancelled on the server, its transaction is rolled back.
  case deadlineExceeded
  /// Every connection of the pool stayed busy until the deadline; `size` is how many it has.
  case connectionPoolExhausted(size: Int)
  /// The server refused a statement.
  case server(ServerError)
  /// A column could not be read as the type asked for. `found` says what it is instead, never its value.
  case decoding(column: String, expected: String, found: String)
  /// A failure inside the process: no memory or file descriptor left, or libpq in the wrong state. The connection, if
  /// there is one, is not used again.
  case client(String)

  /// What the server said when it refused a statement.
  public struct ServerError: Sendable {
    /// The five characters that identify the condition (PostgreSQL's appendix A).
    public let sqlState: String
    /// The violated constraint; nil: none was.
    public let constraint: String?
    /// The server's message; never log it, it may quote values.
    public let message: String
    /// True where the server has ended the session with it (FATAL): nothing that was open took effect, unless a commit
    /// was under way.
    let endsSession: Bool
    /// True: the statement was prepared in an earlier round trip, and nothing of this one has taken effect.
    let isPlanOld: Bool

    init(
      sqlState: String, constraint: String?, message: String, endsSession: Bool = false, isPlanOld: Bool = false
    ) {
      self.sqlState = sqlState
      self.constraint = constraint
      self.message = message
      self.endsSession = endsSession
      self.isPlanOld = isPlanOld
    }
  }

  /// nil: the error is not a refused statement.
  public var sqlState: String? {
    if case .server(let error) = self { error.sqlState } else { nil }
  }

  /// True where the connection must not be used again: it is broken, or the session is, or the server takes no writes
  /// on it (25006), as after a failover, while it may take them on a new one.
  var invalidatesConnection: Bool {
    if case .server(let error) = self { endsSession || error.sqlState == "25006" } else { endsSession }
  }

  /// True where the session is over. What was under way took no effect, unless it was a commit.
  var endsSession: Bool {
    switch self {
    case .connectionLost, .client: true
    case .server(let error): error.endsSession || Self.sessionEnds.contains(error.sqlState)
    default: false
    }
  }

  /// 57P01-57P05: the server is shutting down, crashed, starting, has dropped the database, or ended an idle session.
  /// 25P03 and 25P04: it has ended a transaction that was idle or lasted too long. 08...: the connection failed.
  private static let sessionEnds: Set<String> = [
    "57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04", "08000", "08001", "08003", "08004", "08006", "08007",
  ]

  /// True for a serialization failure (40001), a deadlock (40P01), or a lock that took too long (55P03): the
  /// same transaction may succeed when run again.
  public var isContention: Bool {
    switch sqlState {
    case "40001", "40P01", "55P03": true
    default: false
    }
  }

  /// True where the server could not be reached, or the connection was lost: the statement itself is not at fault.
  public var isUnavailable: Bool {
    switch self {
    case .connectionFailed, .connectionLost, .connectionPoolExhausted: true
    // 53100, 53200, 53300: the server is out of disk, memory or connections. 25006: it takes no writes.
    case .server(let error): endsSession || ["53100", "53200", "53300", "25006"].contains(error.sqlState)
    default: false
    }
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  /// Safe to log: of a server error it holds SQLSTATE and constraint only.
  public var description: String {
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
    case .decoding(let column, let expected, let found):
      "result column \(column): expected \(expected), found \(found)"
    case .client(let what): "the PostgreSQL client failed: \(what)"
    }
  }

  /// The description and the server's message, which may quote values: for developers, not for logs.
  public var debugDescription: String {
    if case .server(let error) = self { "\(description): \(error.message)" } else { description }
  }
}
