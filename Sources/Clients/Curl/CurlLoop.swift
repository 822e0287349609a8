internal import CCurl
internal import ClientLoop

/// The thread that owns the multi handle.
///
/// `@unchecked Sendable`: `mailboxLoop` is Sendable, and all else is the thread's own.
final class CurlLoop: @unchecked Sendable {
  private struct Mailbox: LoopMailbox {
    var added: [CurlTransfer] = []
    var cancelled: [CurlTransfer] = []
    var isEmpty: Bool { added.isEmpty && cancelled.isEmpty }
  }

  private let mailboxLoop: MailboxLoop<Mailbox>
  private let multi: UnsafeMutableRawPointer?
  /// Keeps transfers alive while libcurl holds pointers to them.
  private var running: [ObjectIdentifier: CurlTransfer] = [:]
  private let silentConnections = SilentConnections()

  /// Connections kept to one host, and to all; further requests wait for one.
  private static let connectionsPerHostMax = 256
  private static let connectionsMax = 512
  /// Requests under way; further ones are refused.
  static let requestsMax = 4_096

  init() throws(ClientLoopError) {
    mailboxLoop = try MailboxLoop(name: "curl")
    multi = curl_multi_init()
  }

  func start() {
    vluma_multi_setopt_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, Self.connectionsPerHostMax)
    vluma_multi_setopt_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, Self.connectionsMax)
    mailboxLoop.start { self.run() }
  }

  func stop() { mailboxLoop.stop() }

  func add(_ transfer: CurlTransfer) {
    if !mailboxLoop.post({ $0.added.append(transfer) }) { abandonAtClose(transfer) }
  }

  func cancel(_ transfer: CurlTransfer) {
    // A closed loop has ended its transfers.
    _ = mailboxLoop.post { $0.cancelled.append(transfer) }
  }

  private func run() {
    var isStopRequested = false
    while !isStopRequested {
      let mail: Mailbox
      (mail, isStopRequested) = mailboxLoop.take()
      for transfer in mail.added where !transfer.isAbandoned {
        guard running.count < Self.requestsMax else {
          abandon(transfer, .notConnected, "too many requests are under way")
          continue
        }
        transfer.silentConnections = silentConnections
        running[ObjectIdentifier(transfer)] = transfer
        transfer.begin(at: .now)
        curl_multi_add_handle(multi, transfer.easy)
      }
      for transfer in mail.cancelled { abandon(transfer, .cancelled, "cancelled") }
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      collect()
      let pollTimeout = abandonOverdue()
      CurlMetrics.requests(running.count)
      if !isStopRequested { poll(pollTimeout) }
    }
    for transfer in mailboxLoop.close().added { abandonAtClose(transfer) }
    for transfer in Array(running.values) { abandonAtClose(transfer) }
    curl_multi_cleanup(multi)
  }

  private func poll(_ timeout: Duration) {
    var wakeup = curl_waitfd(fd: mailboxLoop.wakeupDescriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
    curl_multi_poll(multi, &wakeup, 1, Int32(timeout / .milliseconds(1)), nil)
    mailboxLoop.drainWakeup()
  }

  private func collect() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      let code = vluma_message_result(message)
      var pointer: UnsafeMutableRawPointer?
      _ = vluma_getinfo_pointer(easy, &pointer)
      let transfer = CurlTransfer.at(pointer)
      if code == CURLE_OPERATION_TIMEDOUT { transfer?.noteTimeout() }
      curl_multi_remove_handle(multi, easy)
      guard let transfer else { continue }
      transfer.finish(code)
      running[ObjectIdentifier(transfer)] = nil
    }
  }

  /// Abandons the transfers whose first byte is overdue; returns the time until the next one may be, 1 s at most.
  private func abandonOverdue() -> Duration {
    let now = ContinuousClock.now
    var pollTimeout = Duration.seconds(1)
    for transfer in Array(running.values) {
      guard let deadline = transfer.firstByteDeadline else { continue }
      if deadline <= now {
        transfer.noteTimeout()
        abandon(transfer, .timedOut, "no first byte before the timeout")
      } else {
        pollTimeout = min(pollTimeout, deadline - now + .milliseconds(1))
      }
    }
    return pollTimeout
  }

  private func abandonAtClose(_ transfer: CurlTransfer) { abandon(transfer, .cancelled, "the client was closed") }

  private func abandon(_ transfer: CurlTransfer, _ reason: CurlError.Reason, _ detail: String) {
    transfer.isAbandoned = true
    let error = CurlError(reason: reason, mayHaveBeenWritten: transfer.mayHaveBeenWritten, detail: detail)
    if running.removeValue(forKey: ObjectIdentifier(transfer)) != nil { curl_multi_remove_handle(multi, transfer.easy) }
    transfer.fail(error)
  }
}
