import Testing

@testable import Postgres

struct PostgresErrorTests {
  @Test func `which errors are contention, and which mean that the server is unavailable`() {
    func server(_ state: String) -> PostgresError { .server(.init(sqlState: state, constraint: nil, message: "")) }
    for state in ["40001", "40P01", "55P03"] {
      #expect(server(state).isContention)
      #expect(!server(state).isUnavailable)
    }
    for state in ["57P01", "57P02", "57P03", "57P05", "25P03", "08006", "53300", "25006"] {
      #expect(server(state).isUnavailable)
      #expect(server(state).invalidatesConnection == (state != "53300"))
    }
    let fatal = PostgresError.server(.init(sqlState: "XX000", constraint: nil, message: "", endsSession: true))
    #expect(fatal.isUnavailable)
    #expect(fatal.invalidatesConnection)
    for error in [
      PostgresError.connectionLost, .connectionPoolExhausted(size: 1), .connectionFailed(server: "", reason: ""),
    ] {
      #expect(error.isUnavailable)
      #expect(!error.isContention)
    }
    #expect(PostgresError.connectionLost.invalidatesConnection)
    #expect(PostgresError.client("").invalidatesConnection)
    for error in [
      PostgresError.commitInDoubt, .deadlineExceeded, server("23505"), .decoding(column: "", expected: "", found: ""),
    ] {
      #expect(!error.isUnavailable)
      #expect(!error.isContention)
      #expect(!error.invalidatesConnection)
    }
  }
}
