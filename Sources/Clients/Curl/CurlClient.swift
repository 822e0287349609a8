internal import CCurl
internal import ClientLoop
internal import Foundation
internal import Synchronization

/// An HTTP client on libcurl's multi interface, run by one thread: connections are kept alive and shared by all
/// requests.
package final class CurlClient: Sendable {
  private let loop = CurlLoop()
  private let certificateAuthorities: String?

  /// Starts the client's thread.
  ///
  /// - Parameter certificateAuthorities: a PEM file of the authorities to trust; nil: the system's.
  package init(certificateAuthorities: String? = nil) {
    _ = Self.globalInit
    self.certificateAuthorities = certificateAuthorities
    loop.start()
  }

  deinit { loop.stop() }

  /// curl's one-time set-up, which must not run twice at once.
  private static let globalInit: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Sends the request and waits for the whole response, of whatever status; throws ``CurlError``.
  ///
  /// Nothing is sent twice: where a request may be repeated is for the caller to say, by
  /// ``CurlError/mayHaveBeenWritten``. Cancelling the task ends the transfer.
  package func send(_ request: CurlRequest) async throws -> CurlResponse { try await run(request, file: nil) }

  /// Sends the request and writes the body of a successful (2xx) response to a file, which appears under its name only
  /// when it is whole; until then it is `<file>.part`. The body of any other response is in ``CurlResponse/body``.
  package func download(_ request: CurlRequest, to file: String) async throws -> CurlResponse {
    try await run(request, file: file)
  }

  private func run(_ request: CurlRequest, file: String?) async throws -> CurlResponse {
    let transfer = try CurlTransfer(request, file: file)
    try transfer.prepare(certificateAuthorities: certificateAuthorities)
    return try await withTaskCancellationHandler {
      loop.add(transfer)
      // In a task of its own: a cancelled wait must still learn whether the request may have been written.
      return try await Task { try await transfer.response.wait() }.value
    } onCancel: {
      loop.cancel(transfer)
    }
  }
}

/// The thread that owns the multi handle.
///
/// `@unchecked Sendable`: `mailbox` is locked, `curl_multi_wakeup` may be called from any thread, and all else is the
/// thread's own.
private final class CurlLoop: @unchecked Sendable {
  private struct Mailbox {
    var added: [CurlTransfer] = []
    var cancelled: [CurlTransfer] = []
    var isStopped = false
  }

  private let mailbox = Mutex(Mailbox())
  private let multi: UnsafeMutableRawPointer?
  /// Keeps transfers alive while libcurl holds pointers to them.
  private var running: [ObjectIdentifier: CurlTransfer] = [:]

  /// Connections kept to one host; more requests than this wait in line.
  private static let connectionsPerHostMax = 256

  init() { multi = curl_multi_init() }

  func start() {
    vluma_multi_setopt_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, Self.connectionsPerHostMax)
    NamedThread.start(named: "curl") { self.run() }
  }

  func add(_ transfer: CurlTransfer) { post { $0.added.append(transfer) } }
  func cancel(_ transfer: CurlTransfer) { post { $0.cancelled.append(transfer) } }
  func stop() { post { $0.isStopped = true } }

  private func post(_ change: (inout Mailbox) -> Void) {
    // Inside the lock: once the thread has seen that it is stopped, the handle is gone.
    mailbox.withLock { mailbox in
      change(&mailbox)
      curl_multi_wakeup(multi)
    }
  }

  private func run() {
    var isStopped = false
    while !isStopped {
      let mail = mailbox.withLock { mailbox in
        defer { mailbox = Mailbox() }
        return mailbox
      }
      for transfer in mail.added where !transfer.isAbandoned {
        running[ObjectIdentifier(transfer)] = transfer
        transfer.begin(at: .now)
        curl_multi_add_handle(multi, transfer.easy)
      }
      for transfer in mail.cancelled { abandon(transfer, .cancelled, "it was cancelled") }
      isStopped = mail.isStopped
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      collect()
      let pollTimeout = abandonOverdue()
      if !isStopped { curl_multi_poll(multi, nil, 0, Int32(pollTimeout / .milliseconds(1)), nil) }
    }
    for transfer in Array(running.values) { abandon(transfer, .cancelled, "the client was closed") }
    curl_multi_cleanup(multi)
  }

  private func collect() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      let code = vluma_message_result(message)
      var pointer: UnsafeMutableRawPointer?
      _ = vluma_getinfo_pointer(easy, &pointer)
      curl_multi_remove_handle(multi, easy)
      guard let transfer = CurlTransfer.at(pointer) else { continue }
      transfer.finish(code)
      running[ObjectIdentifier(transfer)] = nil
    }
  }

  /// Gives up the transfers whose answer should have begun by now; returns how long to wait before the next look.
  private func abandonOverdue() -> Duration {
    let now = ContinuousClock.now
    var pollTimeout = Duration.seconds(1)
    for transfer in Array(running.values) {
      guard let deadline = transfer.firstByteDeadline else { continue }
      if deadline <= now {
        abandon(transfer, .timedOut, "no answer began in time")
      } else {
        pollTimeout = min(pollTimeout, deadline - now + .milliseconds(1))
      }
    }
    return pollTimeout
  }

  private func abandon(_ transfer: CurlTransfer, _ reason: CurlError.Reason, _ detail: String) {
    transfer.isAbandoned = true
    let error = CurlError(reason: reason, mayHaveBeenWritten: transfer.mayHaveBeenWritten, detail: detail)
    if running.removeValue(forKey: ObjectIdentifier(transfer)) != nil { curl_multi_remove_handle(multi, transfer.easy) }
    transfer.fail(error)
  }
}
