internal import CCurl
internal import Foundation
internal import Synchronization
internal import Wires

/// An HTTP client on libcurl's multi interface, run by one thread: connections are kept alive and shared by all
/// requests.
public final class CurlClient: Sendable {
  private let loop = CurlLoop()

  /// Starts the client's thread.
  public init() {
    _ = Self.globalInit
    loop.start()
  }

  deinit { loop.stop() }

  /// curl's one-time set-up, which must not run twice at once.
  private static let globalInit: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Sends the request and waits for the whole response, of whatever status; throws ``CurlError``.
  ///
  /// Cancelling the task ends the transfer.
  public func send(_ request: CurlRequest) async throws -> CurlResponse {
    let transfer = try CurlTransfer(request)
    try transfer.prepare()
    return try await withTaskCancellationHandler {
      loop.add(transfer)
      return try await transfer.response.wait()
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
    OwnerThread.start(named: "curl") { self.run() }
  }

  func add(_ transfer: CurlTransfer) { post { $0.added.append(transfer) } }
  func cancel(_ transfer: CurlTransfer) { post { $0.cancelled.append(transfer) } }
  func stop() { post { $0.isStopped = true } }

  private func post(_ change: (inout Mailbox) -> Void) {
    mailbox.withLock { change(&$0) }
    curl_multi_wakeup(multi)
  }

  private func run() {
    var isStopped = false
    while !isStopped {
      let mail = mailbox.withLock { mailbox in
        defer { mailbox = Mailbox() }
        return mailbox
      }
      for transfer in mail.added {
        running[ObjectIdentifier(transfer)] = transfer
        curl_multi_add_handle(multi, transfer.easy)
      }
      for transfer in mail.cancelled { abandon(transfer) }
      isStopped = mail.isStopped
      var count: Int32 = 0
      curl_multi_perform(multi, &count)
      collect()
      if !isStopped { curl_multi_poll(multi, nil, 0, 1_000, nil) }
    }
    for transfer in Array(running.values) { abandon(transfer) }
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

  private func abandon(_ transfer: CurlTransfer) {
    if running.removeValue(forKey: ObjectIdentifier(transfer)) != nil { curl_multi_remove_handle(multi, transfer.easy) }
    transfer.response.resolve(
      .failure(
        CurlError(reason: .cancelled, mayHaveBeenWritten: transfer.mayHaveBeenWritten, detail: "it was cancelled")))
  }
}
