internal import CCurl
internal import ClientLoop

/// An HTTP client on libcurl's multi interface, run by one thread; all requests share its kept-alive connections.
package final class CurlClient: Sendable {
  private let loop: Result<CurlLoop, ClientLoopError>
  private let certificateAuthorities: String?

  /// Starts the client's thread. Where the process has no file descriptor left for it, every request fails as not
  /// connected.
  ///
  /// - Parameter certificateAuthorities: a PEM file of the authorities to trust; nil: the system's.
  package init(certificateAuthorities: String? = nil) {
    _ = Self.globalInit
    self.certificateAuthorities = certificateAuthorities
    loop = Result { () throws(ClientLoopError) in try CurlLoop() }
    if case .success(let loop) = loop { loop.start() }
  }

  deinit {
    if case .success(let loop) = loop { loop.stop() }
  }

  /// libcurl's global initialization, which must not run twice at once.
  private static let globalInit: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  /// Sends the request and waits for the whole response, of whatever status; throws ``CurlError``.
  ///
  /// Nothing is sent twice: the caller decides whether to repeat a request, by ``CurlError/mayHaveBeenWritten``.
  /// Cancelling the task ends the transfer.
  package func send(_ request: CurlRequest) async throws -> CurlResponse {
    let loop = try startedLoop()
    let transfer = try CurlTransfer(request)
    try transfer.prepare(certificateAuthorities: certificateAuthorities)
    return try await withTaskCancellationHandler {
      loop.add(transfer)
      // In a task of its own: a cancelled caller must still learn whether the request may have been written.
      return try await Task { try await transfer.response.wait() }.value
    } onCancel: {
      loop.cancel(transfer)
    }
  }

  private func startedLoop() throws(CurlError) -> CurlLoop {
    do throws(ClientLoopError) { return try loop.get() } catch {
      throw CurlError(reason: .notConnected, mayHaveBeenWritten: false, detail: error.description)
    }
  }
}
