internal import CCurl
internal import ClientLoop
internal import Foundation

/// One request under way, with its easy handle.
///
/// `@unchecked Sendable`: a caller creates and prepares it; from ``CurlLoop/add(_:)`` on only the client's thread uses
/// it, except for `response`, which is Sendable.
final class CurlTransfer: @unchecked Sendable {
  let response = Promise<CurlResponse>()
  let easy: UnsafeMutableRawPointer
  private let request: CurlRequest
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private var headers: [(name: String, value: String)] = []
  private var body = Data()
  private var isTooLarge = false
  private var bodyBytesSent = 0
  private var hasResponse = false
  private var areHeadersComplete = false
  /// Set by the client's thread where the transfer was abandoned, perhaps before it began.
  var isAbandoned = false

  /// How long a connection may leave bytes unacknowledged, in milliseconds; then the kernel ends it.
  private static let silenceMax: UInt32 = 20_000
  /// The connection it is sent on; nil: none yet.
  private var ports: SilentConnections.Ports?
  /// The client's thread's; set before the transfer is added.
  var silentConnections: SilentConnections?

  /// When the first byte of the response is due; nil: the request has no such limit, or the byte has arrived.
  private(set) var firstByteDeadline: ContinuousClock.Instant?

  init(_ request: CurlRequest) throws(CurlError) {
    guard let easy = curl_easy_init() else {
      throw CurlError(reason: .invalidRequest, mayHaveBeenWritten: false, detail: "out of memory")
    }
    self.easy = easy
    self.request = request
  }

  deinit {
    curl_slist_free_all(headerList)
    curl_easy_cleanup(easy)
  }

  /// Sets all options. The handle keeps unowned pointers to the transfer, which must outlive its run.
  func prepare(certificateAuthorities: String?) throws(CurlError) {
    var results: [CURLcode] = []
    results.append(vluma_setopt_pointer(easy, CURLOPT_URL, request.url))
    results.append(vluma_setopt_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https"))
    results.append(vluma_setopt_long(easy, CURLOPT_NOSIGNAL, 1))
    // Without it libcurl waits for the thread of an unanswered name look-up when the transfer ends: 9 s with a silent
    // name server, in which no other transfer of the process goes on.
    results.append(vluma_setopt_long(easy, CURLOPT_QUICK_EXIT, 1))
    results.append(vluma_setopt_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(request.connectTimeout / .milliseconds(1))))
    results.append(vluma_setopt_long(easy, CURLOPT_TIMEOUT_MS, Int(request.timeout / .milliseconds(1))))
    results.append(vluma_setopt_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)))
    if let certificateAuthorities {
      results.append(vluma_setopt_pointer(easy, CURLOPT_CAINFO, certificateAuthorities))
    }
    // HTTP/2 requests wait for a connection that they can share. Plain HTTP/1.1 connections cannot be shared, and
    // waiting for one would only delay the request.
    if request.url.lowercased().hasPrefix("https:") { results.append(vluma_setopt_long(easy, CURLOPT_PIPEWAIT, 1)) }
    results += prepareBody()
    results.append(vluma_setopt_pointer(easy, CURLOPT_CUSTOMREQUEST, request.method))
    try prepareHeaders()
    results.append(vluma_setopt_pointer(easy, CURLOPT_HTTPHEADER, headerList))
    let me = Unmanaged.passUnretained(self).toOpaque()
    for option in [
      CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA,
      CURLOPT_SOCKOPTDATA,
    ] {
      results.append(vluma_setopt_pointer(easy, option, me))
    }
    results.append(
      vluma_setopt_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
        CurlTransfer.at(me)?.receive(body: bytes, size * count) ?? 0
      })
    results.append(
      vluma_setopt_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
        CurlTransfer.at(me)?.receive(header: bytes, size * count) ?? 0
      })
    results.append(
      vluma_setopt_socket_callback(easy) { me, socket, _ in
        vluma_bound_silence(socket, CurlTransfer.silenceMax)
        CurlTransfer.at(me)?.silentConnections?.opened(socket)
        return CURL_SOCKOPT_OK
      })
    guard results.allSatisfy({ $0 == CURLE_OK }) else {
      throw CurlError(reason: .invalidRequest, mayHaveBeenWritten: false, detail: "the URL or an option cannot be used")
    }
  }

  /// libcurl repeats a request, a POST too, whose kept-alive connection breaks before the first byte of a response.
  /// Whether to send twice is the caller's decision, so a second try is aborted once it is connected, where the first
  /// may have arrived. GET and HEAD may be repeated.
  private func prepareBody() -> [CURLcode] {
    var results: [CURLcode] = []
    results.append(
      vluma_setopt_request_callback(easy) { me, _, _, remotePort, localPort in
        CurlTransfer.at(me)?.begin(on: .init(local: localPort, remote: remotePort)) == true
          ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      })
    guard let body = request.body else {
      if request.method == "HEAD" { results.append(vluma_setopt_long(easy, CURLOPT_NOBODY, 1)) }
      return results
    }
    return results + [
      vluma_setopt_long(easy, CURLOPT_POST, 1),
      vluma_setopt_long(easy, CURLOPT_POSTFIELDSIZE, body.count),
      vluma_setopt_callback(easy, CURLOPT_READFUNCTION) { bytes, size, count, me in
        CurlTransfer.at(me)?.copyBody(into: bytes, size * count) ?? 0
      },
      vluma_setopt_seek_callback(easy) { me, offset, origin in
        guard let transfer = CurlTransfer.at(me), origin == SEEK_SET, offset == 0, !transfer.isBodySent else {
          return CURL_SEEKFUNC_FAIL
        }
        transfer.bodyBytesSent = 0
        return CURL_SEEKFUNC_OK
      },
    ]
  }

  private func prepareHeaders() throws(CurlError) {
    // "Expect: 100-continue" would cost a round trip for larger bodies.
    for (name, value) in request.headers + [("Expect", "")] {
      let isClean = !(name + value).utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 }
      guard isClean else {
        throw CurlError(reason: .invalidRequest, mayHaveBeenWritten: false, detail: "a header holds a line break")
      }
      headerList = curl_slist_append(headerList, "\(name):\(value.isEmpty ? "" : " \(value)")")
    }
  }

  /// The transfer that a callback or a finished handle belongs to.
  static func at(_ pointer: UnsafeMutableRawPointer?) -> CurlTransfer? {
    pointer.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
  }

  func begin(at now: ContinuousClock.Instant) {
    firstByteDeadline = request.firstByteTimeout.map { now + $0 }
  }

  /// False where it must not be sent on this connection, since it may have been sent on another.
  private func begin(on ports: SilentConnections.Ports) -> Bool {
    guard ["GET", "HEAD"].contains(request.method) || !mayHaveBeenWritten else { return false }
    self.ports = ports
    return true
  }

  private func copyBody(into bytes: UnsafeMutablePointer<CChar>?, _ capacity: Int) -> Int {
    guard let bytes, let body = request.body else { return 0 }
    let count = min(capacity, body.count - bodyBytesSent)
    let start = body.startIndex + bodyBytesSent
    body.copyBytes(to: UnsafeMutableRawBufferPointer(start: bytes, count: count), from: start..<(start + count))
    bodyBytesSent += count
    return count
  }

  private func receive(body bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    guard count <= request.responseBytesMax - body.count else {
      isTooLarge = true
      return 0
    }
    body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
    return count
  }

  private func receive(header bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    firstByteDeadline = nil
    if !hasResponse, let ports { silentConnections?.answered(ports) }
    hasResponse = true
    let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers = []  // those of an interim response are dropped
      areHeadersComplete = false
    } else if line == "\r\n" || line == "\n" {
      areHeadersComplete = status >= 200
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
      headers.append((line[..<colon].lowercased(), value))
    }
    return count
  }

  /// Ends the connection where it owes too many answers: called where time ran out.
  func noteTimeout() {
    guard !hasResponse, mayHaveBeenWritten, let ports else { return }
    silentConnections?.timedOut(ports)
  }

  private var status: Int { number(CURLINFO_RESPONSE_CODE) }

  private func number(_ info: CURLINFO) -> Int {
    var value = 0
    _ = vluma_getinfo_long(easy, info, &value)
    return value
  }

  /// Resolves the response after libcurl has finished the handle.
  func finish(_ code: CURLcode) {
    guard code == CURLE_OK else { return fail(failure(code)) }
    // libcurl treats a connection that ends within the headers as a response without a body.
    guard areHeadersComplete else {
      return fail(
        CurlError(reason: .connectionLost, mayHaveBeenWritten: true, detail: "the response ended within its headers"))
    }
    response.resolve(.success(CurlResponse(status: status, headers: headers, body: body)))
  }

  func fail(_ error: CurlError) { response.resolve(.failure(error)) }

  private func failure(_ code: CURLcode) -> CurlError {
    let mayHaveBeenWritten = mayHaveBeenWritten
    let reason: CurlError.Reason =
      switch code {
      case _ where isTooLarge: .responseTooLarge
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_SSL_CONNECT_ERROR,
        CURLE_PEER_FAILED_VERIFICATION:
        mayHaveBeenWritten ? .connectionLost : .notConnected
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      // Also libcurl's code for a response that is no HTTP.
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: mayHaveBeenWritten ? .connectionLost : .invalidRequest
      default: .connectionLost
      }
    return CurlError(
      reason: reason, mayHaveBeenWritten: mayHaveBeenWritten, detail: String(cString: curl_easy_strerror(code)))
  }

  /// True where the server may have received the whole request.
  ///
  /// libcurl counts the bytes that it wrote, and asks for the body piece by piece: a body that was not asked for to its
  /// end cannot have arrived. Where a response has begun, even to half a request, the server may have acted.
  var mayHaveBeenWritten: Bool {
    hasResponse || (number(CURLINFO_REQUEST_SIZE) > 0 && isBodySent)
  }

  private var isBodySent: Bool { bodyBytesSent == request.body?.count ?? 0 }
}
