internal import CLibPQ

extension PostgresError {
  /// What libpq's result of a refused statement says.
  ///
  /// - Parameter isPlanOld: the statement was prepared before, and nothing of its round trip has taken effect.
  init(refusal result: OpaquePointer, isPlanOld: Bool = false) {
    func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
    // The codes are the characters PG_DIAG_SQLSTATE, PG_DIAG_CONSTRAINT_NAME and PG_DIAG_MESSAGE_PRIMARY stand for.
    let state = field(Int32(UInt8(ascii: "C")))
    // An error without SQLSTATE is libpq's own: it could not read or write.
    guard let state else {
      self = .connectionLost
      return
    }
    // PG_DIAG_SEVERITY_NONLOCALIZED: after FATAL and PANIC the server has closed the session.
    let endsSession = ["FATAL", "PANIC"].contains(field(Int32(UInt8(ascii: "V"))))
    self = .server(
      .init(
        sqlState: state, constraint: field(Int32(UInt8(ascii: "n"))),
        message: field(Int32(UInt8(ascii: "M"))) ?? "", endsSession: endsSession,
        isPlanOld: isPlanOld))
  }

  /// True where a prepared statement no longer fits, as after a migration (0A000, cached plan must not change result
  /// type), or is gone (26000). 0A000 also means a feature that the server does not have.
  var saysPlanIsStale: Bool { sqlState == "0A000" || sqlState == "26000" }

  /// True where the same statements may succeed at once when they are run again, in a new transaction. The connection
  /// has dropped its prepared statements by then.
  var hasStalePlan: Bool {
    if case .server(let error) = self { error.isPlanOld && saysPlanIsStale } else { false }
  }
}
