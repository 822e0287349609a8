internal import CLibPQ
internal import ClientLoop
internal import Foundation
internal import Glibc

/// libpq's connection, used by one thread only. A call may block that thread, until its deadline at most.
///
/// The connection stays in pipeline mode for its whole life, so any number of statements is one round trip.
final class PostgresSession {
  private let connection: OpaquePointer
  private let wakeup: Wakeup
  /// Names of the statements prepared on this connection, by their text.
  private var prepared: [String: String] = [:]
  private var preparedCount = 0
  /// The server keeps a plan per prepared statement: further texts are not prepared.
  private static let preparedMax = 256
  /// A cancel request that was sent may still hit a later statement, so the connection is not used again.
  private var cancelWasSent = false
  private var hasUnsolicitedInput = false
  /// A call of libpq failed on an intact connection: which results come next is unknown.
  private var isOutOfStep = false

  /// Connects; `wakeup` interrupts waits so that cancellation is seen at once.
  init(
    _ configuration: PostgresConfiguration, wakeup: Wakeup, deadline: ContinuousClock.Instant, isCancelled: () -> Bool
  ) throws {
    let limit = min(deadline, .now + configuration.connectTimeout)
    let addresses: PostgresAddresses
    do throws(HostResolver.Failure) {
      addresses = try PostgresAddresses(configuration.url, until: limit, isCancelled: isCancelled)
    } catch {
      if isCancelled() { throw CancellationError() }
      throw PostgresError.connectionFailed(server: configuration.serverName, reason: error.description)
    }
    let options = Self.settings(configuration).map { "-c \($0)=\($1)" }.joined(separator: " ")
    let pairs: [(String, String)] =
      [
        ("dbname", configuration.url), ("application_name", configuration.applicationName),
        ("options", options), ("client_encoding", "UTF8"),
        ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
        ("tcp_user_timeout", "20000"),
      ] + addresses.parameters
    self.wakeup = wakeup
    let keys = pairs.map { strdup($0.0) } + [nil]
    let values = pairs.map { strdup($0.1) } + [nil]
    defer { (keys + values).forEach { free($0) } }
    let started = PQconnectStartParams(keys.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
    guard let started else { throw PostgresError.client("out of memory for a connection") }
    connection = started
    // By default libpq writes the server's notices, which may quote values, to standard error.
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    try finishConnecting(deadline: limit, server: configuration.serverName, isCancelled)
    guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else {
      throw PostgresError.client("the connection refused pipeline mode")
    }
  }

  deinit { PQfinish(connection) }

  /// The session's settings at the server. It frees the locks of a client that is gone or stopped: the kernel notices a
  /// host that vanished within about 25 s, in a statement the server looks every 2 s whether the client has closed, and
  /// a transaction must not stay idle.
  private static func settings(_ configuration: PostgresConfiguration) -> [(String, String)] {
    func milliseconds(_ duration: Duration) -> String { "\(Int(duration / .milliseconds(1)))" }
    return [
      ("TimeZone", "UTC"), ("client_min_messages", "warning"),
      ("lock_timeout", milliseconds(configuration.lockTimeout)),
      ("idle_in_transaction_session_timeout", milliseconds(configuration.idleInTransactionTimeout)),
      ("client_connection_check_interval", "2000"),
      ("tcp_keepalives_idle", "10"), ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3"),
      ("tcp_user_timeout", "20000"),
    ]
  }

  /// True once the connection can no longer be used.
  var isUnusable: Bool { isBroken || cancelWasSent || hasUnsolicitedInput || isOutOfStep }

  /// Checks, without waiting, whether the server has closed an idle connection, or is about to.
  ///
  /// To an idle connection that does not listen a server sends nothing but its shutdown message (and, rarely, a changed
  /// setting). The end of the stream may come later, so any input makes the connection unusable.
  func checkLiveness() {
    if case .socket = wait(for: POLLIN, until: .now) { hasUnsolicitedInput = true }
  }

  private var isBroken: Bool { PQstatus(connection) != CONNECTION_OK }

  private func finishConnecting(
    deadline: ContinuousClock.Instant, server: String, _ isCancelled: () -> Bool
  ) throws {
    var state = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
    while state != PGRES_POLLING_OK {
      guard state != PGRES_POLLING_FAILED else {
        throw PostgresError.connectionFailed(server: server, reason: Self.firstLine(PQerrorMessage(connection)))
      }
      let events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
      let waitResult = wait(for: events, until: deadline)
      if isCancelled() { throw CancellationError() }
      guard waitResult != .timeout else {
        throw PostgresError.connectionFailed(server: server, reason: "no reply within the connect timeout")
      }
      if waitResult == .woken { continue }
      state = PQconnectPoll(connection)
    }
  }

  private static func firstLine(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "unknown reason" }
    let line = String(cString: text).split(separator: "\n").first ?? "unknown reason"
    // libpq's text begins with `connection to server at "host", port N failed: `; the error names the server already.
    return line.range(of: " failed: ").map { String(line[$0.upperBound...]) } ?? String(line)
  }

  private func wait(for events: Int32, until deadline: ContinuousClock.Instant) -> PollResult {
    wakeup.poll(PQsocket(connection), for: events, timeout: max(.zero, deadline - .now))
  }

  /// Sends all statements in one round trip and returns their results in order.
  ///
  /// The first error is thrown, and the statements behind it do not run. When `isCancelled` turns true, or the deadline
  /// passes, a cancel request is sent; a statement that does not end within two seconds of it costs the connection.
  /// Where a plan was stale, and no transaction was open before, the statements are run again, unseen.
  func run(
    _ queries: [PostgresQuery], deadline: ContinuousClock.Instant, isCancelled: () -> Bool
  ) throws -> [PostgresResult] {
    let beginsTransaction = PQtransactionStatus(connection) == PQTRANS_IDLE
    do {
      return try runOnce(queries, deadline: deadline, isCancelled: isCancelled)
    } catch let error as PostgresError where error.hasStalePlan && beginsTransaction {
      // They have begun a transaction themselves where one is open now.
      let rollback: [PostgresQuery] = PQtransactionStatus(connection) == PQTRANS_INERROR ? ["ROLLBACK"] : []
      let results = try runOnce(rollback + queries, deadline: deadline, isCancelled: isCancelled)
      return Array(results.dropFirst(rollback.count))
    }
  }

  private func runOnce(
    _ queries: [PostgresQuery], deadline: ContinuousClock.Instant, isCancelled: () -> Bool
  ) throws -> [PostgresResult] {
    var expectations: [Expectation] = []
    for query in queries { expectations += try send(query) }
    guard PQpipelineSync(connection) == 1 else { throw callError("PQpipelineSync") }
    var wait = WaitState(deadline: deadline)
    var results: [PostgresResult] = []
    var failure: PostgresError?
    for expectation in expectations {
      let result = try next(&wait, isCancelled)
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
        switch expectation {
        case .preparation: PQclear(result)
        case .rows(hadPlan: _): results.append(PostgresResult(owning: result))
        }
      default:
        if case .preparation(let sql) = expectation { prepared[sql] = nil }
        if PQresultStatus(result) != PGRES_PIPELINE_ABORTED, failure == nil {
          failure = PostgresError(
            refusal: result, isPlanOld: expectation.hadPlan && !results.contains(where: \.commits))
        }
        PQclear(result)
      }
      // Each statement's results end with a nil.
      while let extra = try nextOrEnd(&wait, isCancelled) { PQclear(extra) }
    }
    PQclear(try next(&wait, isCancelled))  // the pipeline's sync mark
    if let failure {
      if wait.cancelSent, failure.sqlState == "57014" {
        throw isCancelled() ? CancellationError() as any Error : PostgresError.deadlineExceeded
      }
      // Those of other statements may be stale as well.
      if failure.saysPlanIsStale { prepared = [:] }
      throw failure
    }
    return results
  }

  private enum Expectation {
    case preparation(sql: String)
    /// `hadPlan`: the statement was prepared before this round trip. One that is prepared in it cannot be stale: its
    /// tables are locked from then on.
    case rows(hadPlan: Bool)

    var hadPlan: Bool { if case .rows(hadPlan: true) = self { true } else { false } }
  }

  /// The deadline of a wait, and whether the cancel request was sent.
  private struct WaitState {
    var deadline: ContinuousClock.Instant
    var cancelSent = false
  }

  private func send(_ query: PostgresQuery) throws(PostgresError) -> [Expectation] {
    var expectations: [Expectation] = []
    var name = prepared[query.sql]
    let hadPlan = name != nil
    if name == nil, prepared.count < Self.preparedMax {
      let fresh = "s\(preparedCount)"
      preparedCount += 1
      guard PQsendPrepare(connection, fresh, query.sql, 0, nil) == 1 else {
        throw callError("PQsendPrepare")
      }
      // Recorded now, so that the same text later in this pipeline reuses it; removed if the server refuses it.
      expectations.append(.preparation(sql: query.sql))
      prepared[query.sql] = fresh
      name = fresh
    }
    let sent = query.parameters.withLibPQArrays { count, values, lengths, formats in
      if let name {
        PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1)
      } else {
        PQsendQueryParams(connection, query.sql, count, nil, values, lengths, formats, 1)
      }
    }
    guard sent == 1 else { throw callError("sending a statement with \(query.parameters.count) parameters") }
    expectations.append(.rows(hadPlan: hadPlan))
    return expectations
  }

  private func next(_ wait: inout WaitState, _ isCancelled: () -> Bool) throws(PostgresError) -> OpaquePointer {
    guard let result = try nextOrEnd(&wait, isCancelled) else { throw callError("PQgetResult") }
    return result
  }

  private func nextOrEnd(_ waitState: inout WaitState, _ isCancelled: () -> Bool) throws(PostgresError)
    -> OpaquePointer?
  {
    while true {
      let flushed = PQflush(connection)
      guard flushed >= 0 else { throw callError("PQflush") }
      if flushed == 0, PQisBusy(connection) == 0 {
        let result = PQgetResult(connection)
        if let result, PQresultStatus(result) == PGRES_FATAL_ERROR, isBroken {
          PQclear(result)
          throw .connectionLost
        }
        return result
      }
      let waitResult = wait(for: flushed == 1 ? POLLIN | POLLOUT : POLLIN, until: waitState.deadline)
      if case .socket = waitResult, PQconsumeInput(connection) != 1 { throw callError("PQconsumeInput") }
      if waitResult == .timeout || isCancelled() {
        // The server has two seconds to end the statement; then the connection is abandoned.
        if waitState.cancelSent, waitResult == .timeout { throw .connectionLost }
        if !waitState.cancelSent {
          waitState.cancelSent = true
          cancelWasSent = true
          waitState.deadline = .now + .seconds(2)
          PostgresCancelRequest.send(on: connection)
        }
      }
    }
  }

  /// Runs several statements given as one text by the simple protocol, which has no parameters: for migrations.
  func runScript(_ sql: String, deadline: ContinuousClock.Instant, isCancelled: () -> Bool) throws {
    guard PQexitPipelineMode(connection) == 1 else { throw callError("PQexitPipelineMode") }
    guard PQsendQuery(connection, sql) == 1 else { throw callError("PQsendQuery") }
    var wait = WaitState(deadline: deadline)
    var failure: PostgresError?
    while let result = try nextOrEnd(&wait, isCancelled) {
      if PQresultStatus(result) == PGRES_FATAL_ERROR { failure = failure ?? PostgresError(refusal: result) }
      PQclear(result)
    }
    guard PQenterPipelineMode(connection) == 1 else { throw callError("PQenterPipelineMode") }
    if let failure { throw failure }
  }

  /// Waits for notifications until the deadline, or until another thread wakes this one; then it may return none.
  func notifications(until deadline: ContinuousClock.Instant) throws(PostgresError) -> [(
    channel: String, payload: String
  )] {
    var received = bufferedNotifications()  // those that came with an earlier reply
    if received.isEmpty, case .socket = wait(for: POLLIN, until: deadline) {
      guard PQconsumeInput(connection) == 1, !isBroken else { throw callError("PQconsumeInput") }
      received = bufferedNotifications()
    }
    return received
  }

  private func bufferedNotifications() -> [(channel: String, payload: String)] {
    var received: [(String, String)] = []
    while let notification = PQnotifies(connection) {
      received.append((String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)))
      PQfreemem(notification)
    }
    return received
  }

  /// The error of a failed call: where the connection is intact, libpq is out of memory or in the wrong state.
  private func callError(_ call: String) -> PostgresError {
    isOutOfStep = true
    return isBroken ? .connectionLost : .client("\(call) failed")
  }
}
