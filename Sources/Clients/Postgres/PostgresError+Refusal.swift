internal import CLibPQ

extension PostgresError {
  /// What libpq's result of a refused statement says.
  init(refusal result: OpaquePointer) {
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
        message: field(Int32(UInt8(ascii: "M"))) ?? "", endsSession: endsSession))
  }
}
