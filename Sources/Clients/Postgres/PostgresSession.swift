internal import CLibPQ
internal import ClientLoop
internal import Foundation
internal import Glibc
internal import Synchronization

/// libpq's connection, used by one thread only: every call may block that thread, none longer than its deadline.
///
/// The connection stays in pipeline mode for its whole life, so any number of statements is one round trip.
final class PostgresSession {
  private let connection: OpaquePointer
  private let wakeup: Wakeup
  /// Statement text to the name it was prepared under on this connection.
  private var prepared: [String: String] = [:]
  private var preparedCount = 0
  /// libpq and the server keep a plan per prepared statement: past this many new texts go unprepared.
  private static let preparedMax = 256
  /// A cancel request that was sent may still hit a later statement, so the connection is not used for another.
  private var cancelWasSent = false
  private var hasUnsolicitedInput = false

  /// Connects; `wakeup` interrupts waits so that cancellation is seen at once.
  init(
    _ configuration: PostgresConfiguration, wakeup: Wakeup, deadline: ContinuousClock.Instant, isCancelled: () -> Bool
  ) throws {
    let lockMilliseconds = configuration.lockTimeout / .milliseconds(1)
    // client_connection_check_interval ends a statement whose client is gone, and so frees its locks.
    let options =
      "-c TimeZone=UTC -c client_min_messages=warning -c lock_timeout=\(Int(lockMilliseconds)) -c client_connection_check_interval=2000"
    let pairs: [(String, String)] = [
      ("dbname", configuration.url), ("application_name", configuration.applicationName),
      ("options", options), ("client_encoding", "UTF8"),
      ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
      ("tcp_user_timeout", "20000"),
    ]
    self.wakeup = wakeup
    let keys = pairs.map { strdup($0.0) } + [nil]
    let values = pairs.map { strdup($0.1) } + [nil]
    defer { (keys + values).forEach { free($0) } }
    let started = PQconnectStartParams(keys.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
    guard let started else { throw PostgresError.client("out of memory for a connection") }
    connection = started
    // By default libpq writes the server's notices, which may quote values, to standard error.
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    let limit = min(deadline, .now + configuration.connectTimeout)
    try finishConnecting(deadline: limit, server: configuration.serverName, isCancelled)
    guard PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else {
      throw PostgresError.client("the connection refused pipeline mode")
    }
  }

  deinit { PQfinish(connection) }

  /// True once the connection can no longer be used.
  var isUnusable: Bool { isBroken || cancelWasSent || hasUnsolicitedInput }

  /// Looks, without waiting, whether the server has closed an idle connection, or is about to.
  ///
  /// A server says nothing unasked to a connection that does not listen, but its good-bye (and, rarely, a setting that was
  /// changed): the end of the stream may be a while behind it, so whatever it says makes the connection unfit for reuse.
  func checkLiveness() {
    if wait(for: POLLIN, until: .now) == .ready { hasUnsolicitedInput = true }
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
        throw PostgresError.connectionFailed(server: server, reason: "no answer within the connect timeout")
      }
      if waitResult == .woken { continue }
      state = PQconnectPoll(connection)
    }
  }

  private static func firstLine(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "unknown reason" }
    let line = String(cString: text).split(separator: "\n").first ?? "unknown reason"
    // libpq begins with `connection to server at "host", port N failed: `; the caller names the server already.
    return line.range(of: " failed: ").map { String(line[$0.upperBound...]) } ?? String(line)
  }

  private enum WaitResult { case ready, woken, timeout }

  private func wait(for events: Int32, until deadline: ContinuousClock.Instant) -> WaitResult {
    var descriptors = [
      pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0),
      pollfd(fd: wakeup.fileDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    let left = deadline - .now
    let milliseconds = max(0, min(Int32.max / 2, Int32(clamping: Int64(left / .milliseconds(1)) + 1)))
    let count = poll(&descriptors, 2, left <= .zero ? 0 : milliseconds)
    if descriptors[1].revents != 0 { wakeup.drain() }
    if descriptors[0].revents != 0 { return .ready }
    if count == 0 { return .timeout }
    return .woken
  }

  /// Sends all statements in one round trip and returns their results in order.
  ///
  /// The first refused statement is thrown and those behind it do not run. When `isCancelled` turns true, or the
  /// deadline passes, the server is told to cancel; if it does not obey within two seconds the connection is given up.
  func run(
    _ queries: [PostgresQuery], deadline: ContinuousClock.Instant, isCancelled: () -> Bool
  ) throws -> [PostgresResult] {
    var expectations: [Expectation] = []
    for query in queries { expectations += try send(query) }
    guard PQpipelineSync(connection) == 1 else { throw PostgresError.connectionLost }
    var wait = WaitState(deadline: deadline)
    var results: [PostgresResult] = []
    var failure: PostgresError?
    for expectation in expectations {
      let result = try next(&wait, isCancelled)
      switch PQresultStatus(result) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
        switch expectation {
        case .preparation: PQclear(result)
        case .rows: results.append(PostgresResult(owning: result))
        }
      default:
        if case .preparation(let sql) = expectation { prepared[sql] = nil }
        if PQresultStatus(result) != PGRES_PIPELINE_ABORTED { failure = failure ?? Self.serverError(result) }
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
      // The server may have replanned under a changed table (0A000) or forgotten the statement (26000).
      if failure.sqlState == "0A000" || failure.sqlState == "26000" { prepared = [:] }
      throw failure
    }
    return results
  }

  private enum Expectation { case preparation(sql: String), rows }

  /// Where a wait stands between waitState, cancelling, and giving up.
  private struct WaitState {
    var deadline: ContinuousClock.Instant
    var cancelSent = false
  }

  private func send(_ query: PostgresQuery) throws(PostgresError) -> [Expectation] {
    var expectations: [Expectation] = []
    var name = prepared[query.sql]
    if name == nil, prepared.count < Self.preparedMax {
      let fresh = "s\(preparedCount)"
      preparedCount += 1
      guard PQsendPrepare(connection, fresh, query.sql, 0, nil) == 1 else { throw .connectionLost }
      // Known from now on, so that the same text later in this pipeline reuses it; forgotten if the server refuses.
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
    guard sent == 1 else { throw .connectionLost }
    expectations.append(.rows)
    return expectations
  }

  private func next(_ wait: inout WaitState, _ isCancelled: () -> Bool) throws(PostgresError) -> OpaquePointer {
    guard let result = try nextOrEnd(&wait, isCancelled) else { throw .connectionLost }
    return result
  }

  private func nextOrEnd(_ waitState: inout WaitState, _ isCancelled: () -> Bool) throws(PostgresError)
    -> OpaquePointer?
  {
    while true {
      let flushed = PQflush(connection)
      guard flushed >= 0 else { throw .connectionLost }
      if flushed == 0, PQisBusy(connection) == 0 {
        let result = PQgetResult(connection)
        if let result, PQresultStatus(result) == PGRES_FATAL_ERROR, isBroken {
          PQclear(result)
          throw .connectionLost
        }
        return result
      }
      let waitResult = wait(for: flushed == 1 ? POLLIN | POLLOUT : POLLIN, until: waitState.deadline)
      if waitResult == .ready { guard PQconsumeInput(connection) == 1 else { throw .connectionLost } }
      if waitResult == .timeout || isCancelled() {
        // Two seconds for the server to obey the cancel request; then the connection is given up.
        if waitState.cancelSent, waitResult == .timeout { throw .connectionLost }
        if !waitState.cancelSent {
          waitState.cancelSent = true
          cancelWasSent = true
          waitState.deadline = .now + .seconds(2)
          requestCancel()
        }
      }
    }
  }

  /// Asks the server to cancel the running statement. libpq's call connects without a bound, so it has a thread of its
  /// own.
  private func requestCancel() {
    guard let request = PQgetCancel(connection) else { return }
    nonisolated(unsafe) let owned = request  // handed over: only the new thread touches it, and frees it
    Thread.detachNewThread {
      var message = [CChar](repeating: 0, count: 256)
      PQcancel(owned, &message, Int32(message.count))
      PQfreeCancel(owned)
    }
  }

  /// Runs several statements at once by the simple protocol, which takes no parameters: migrations.
  func runScript(_ sql: String, deadline: ContinuousClock.Instant, isCancelled: () -> Bool) throws {
    guard PQexitPipelineMode(connection) == 1 else { throw PostgresError.connectionLost }
    guard PQsendQuery(connection, sql) == 1 else { throw PostgresError.connectionLost }
    var wait = WaitState(deadline: deadline)
    var failure: PostgresError?
    while let result = try nextOrEnd(&wait, isCancelled) {
      if PQresultStatus(result) == PGRES_FATAL_ERROR { failure = failure ?? Self.serverError(result) }
      PQclear(result)
    }
    guard PQenterPipelineMode(connection) == 1 else { throw PostgresError.connectionLost }
    if let failure { throw failure }
  }

  /// Waits until the server sends a notification, somebody wakes the thread, or the time is up; returns what came.
  func notifications(until deadline: ContinuousClock.Instant) throws(PostgresError) -> [(
    channel: String, payload: String
  )] {
    var received = bufferedNotifications()  // those that came with an earlier answer
    if received.isEmpty, wait(for: POLLIN, until: deadline) == .ready {
      guard PQconsumeInput(connection) == 1, !isBroken else { throw .connectionLost }
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

  private static func serverError(_ result: OpaquePointer) -> PostgresError {
    func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
    // The codes are the characters PG_DIAG_SQLSTATE, PG_DIAG_CONSTRAINT_NAME and PG_DIAG_MESSAGE_PRIMARY stand for.
    let state = field(Int32(UInt8(ascii: "C")))
    guard let state else { return .connectionLost }
    return .server(
      .init(
        sqlState: state, constraint: field(Int32(UInt8(ascii: "n"))),
        message: field(Int32(UInt8(ascii: "M"))) ?? ""))
  }
}
