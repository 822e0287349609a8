internal import CCurl
internal import ClientLoop
internal import Foundation

/// One request under way, with the easy handle it runs on. Made anywhere, then touched by the client's thread only.
///
/// `@unchecked Sendable` for that hand-over; `response` is the only part that callers look at.
final class CurlTransfer: @unchecked Sendable {
  let response = Promise<CurlResponse>()
  let easy: UnsafeMutableRawPointer
  private let request: CurlRequest
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private var headers: [(name: String, value: String)] = []
  private var responseBody: ResponseBody
  private var bodyBytesSent = 0
  private var hasResponse = false
  private var isHeadComplete = false
  /// Set by the client's thread where the transfer was given up, perhaps before it began.
  var isAbandoned = false

  /// When an answer must have begun; set by the client's thread when the transfer begins.
  private(set) var firstByteDeadline: ContinuousClock.Instant?

  init(_ request: CurlRequest, file: String?) throws(CurlError) {
    guard let easy = curl_easy_init() else {
      throw CurlError(reason: .invalidRequest, mayHaveBeenWritten: false, detail: "out of memory")
    }
    self.easy = easy
    self.request = request
    responseBody = ResponseBody(bytesMax: request.responseBytesMax, path: file)
  }

  deinit {
    curl_slist_free_all(headerList)
    curl_easy_cleanup(easy)
  }

  /// Sets all options; throws where libcurl refuses one. The transfer must stay alive while the handle runs.
  func prepare(certificateAuthorities: String?) throws(CurlError) {
    var results: [CURLcode] = []
    results.append(vluma_setopt_pointer(easy, CURLOPT_URL, request.url))
    results.append(vluma_setopt_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https"))
    results.append(vluma_setopt_long(easy, CURLOPT_NOSIGNAL, 1))
    results.append(vluma_setopt_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(request.connectTimeout / .milliseconds(1))))
    results.append(vluma_setopt_long(easy, CURLOPT_TIMEOUT_MS, Int(request.timeout / .milliseconds(1))))
    results.append(vluma_setopt_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)))
    if let certificateAuthorities {
      results.append(vluma_setopt_pointer(easy, CURLOPT_CAINFO, certificateAuthorities))
    }
    // Wait for a connection that others may share; over plain HTTP nothing is shared, and the wait would hold all up.
    if request.url.lowercased().hasPrefix("https:") { results.append(vluma_setopt_long(easy, CURLOPT_PIPEWAIT, 1)) }
    results += prepareBody()
    results.append(vluma_setopt_pointer(easy, CURLOPT_CUSTOMREQUEST, request.method))
    try prepareHeaders()
    results.append(vluma_setopt_pointer(easy, CURLOPT_HTTPHEADER, headerList))
    let me = Unmanaged.passUnretained(self).toOpaque()
    for option in [
      CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA,
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
    guard results.allSatisfy({ $0 == CURLE_OK }) else {
      throw CurlError(reason: .invalidRequest, mayHaveBeenWritten: false, detail: "the URL or an option cannot be used")
    }
  }

  /// libcurl silently repeats a request on a kept-alive connection that dies before any byte of an answer, a POST too.
  /// Whether to send twice is the caller's to say, so a second try is stopped when its connection stands, where the
  /// first may have arrived. Reading may be repeated.
  private func prepareBody() -> [CURLcode] {
    var results: [CURLcode] = []
    if request.method != "GET", request.method != "HEAD" {
      results.append(
        vluma_setopt_request_callback(easy) { me, _, _, _, _ in
          CurlTransfer.at(me)?.mayHaveBeenWritten == false ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        })
    }
    guard let body = request.body else {
      if request.method == "HEAD" { results.append(vluma_setopt_long(easy, CURLOPT_NOBODY, 1)) }
      return results
    }
    return results + [
      vluma_setopt_long(easy, CURLOPT_POST, 1),
      vluma_setopt_long(easy, CURLOPT_POSTFIELDSIZE, body.count),
      vluma_setopt_callback(easy, CURLOPT_READFUNCTION) { bytes, size, count, me in
        CurlTransfer.at(me)?.copyBody(to: bytes, size * count) ?? 0
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

  /// The transfer a callback or a finished handle belongs to.
  static func at(_ pointer: UnsafeMutableRawPointer?) -> CurlTransfer? {
    pointer.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
  }

  /// The clock for the first byte starts.
  func begin(at now: ContinuousClock.Instant) {
    firstByteDeadline = request.firstByteTimeout.map { now + $0 }
  }

  private func copyBody(to bytes: UnsafeMutablePointer<CChar>?, _ capacity: Int) -> Int {
    guard let bytes, let body = request.body else { return 0 }
    let count = min(capacity, body.count - bodyBytesSent)
    let start = body.startIndex + bodyBytesSent
    body.copyBytes(to: UnsafeMutableRawBufferPointer(start: bytes, count: count), from: start..<(start + count))
    bodyBytesSent += count
    return count
  }

  private func receive(body bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    responseBody.append(UnsafeRawBufferPointer(start: bytes, count: count), isSuccess: isSuccess) ? count : 0
  }

  private func receive(header bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    firstByteDeadline = nil
    hasResponse = true
    let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers = []  // a final response after an interim one
      isHeadComplete = false
    } else if line == "\r\n" || line == "\n" {
      isHeadComplete = status >= 200
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
      headers.append((line[..<colon].lowercased(), value))
    }
    return count
  }

  private var status: Int { number(CURLINFO_RESPONSE_CODE) }
  private var isSuccess: Bool { (200..<300).contains(status) }

  private func number(_ info: CURLINFO) -> Int {
    var value = 0
    _ = vluma_getinfo_long(easy, info, &value)
    return value
  }

  /// The handle has run.
  func finish(_ code: CURLcode) {
    guard code == CURLE_OK else { return fail(failure(code)) }
    // libcurl takes a connection that ends within the head for a response without a body.
    guard isHeadComplete else {
      return fail(
        CurlError(reason: .connectionLost, mayHaveBeenWritten: true, detail: "the answer ended within its head"))
    }
    do {
      let version =
        switch number(CURLINFO_HTTP_VERSION) {
        case Int(CURL_HTTP_VERSION_1_0): "1.0"
        case Int(CURL_HTTP_VERSION_2_0): "2"
        default: "1.1"
        }
      let body = try responseBody.finish(isSuccess: isSuccess)
      let response = CurlResponse(status: status, httpVersion: version, headers: headers, body: body)
      self.response.resolve(.success(response))
    } catch {
      fail(CurlError(reason: .fileNotWritten, mayHaveBeenWritten: true, detail: "the file cannot be written"))
    }
  }

  /// The transfer ends without a whole response; what was written of a file goes.
  func fail(_ error: CurlError) {
    responseBody.abandon()
    response.resolve(.failure(error))
  }

  private func failure(_ code: CURLcode) -> CurlError {
    let mayHaveBeenWritten = mayHaveBeenWritten
    let reason: CurlError.Reason =
      switch code {
      case _ where responseBody.isTooLarge: .responseTooLarge
      case _ where responseBody.hasFailed: .fileNotWritten
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_SSL_CONNECT_ERROR,
        CURLE_PEER_FAILED_VERIFICATION:
        mayHaveBeenWritten ? .connectionLost : .notConnected
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      // Also libcurl's word for an answer that is no HTTP.
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: mayHaveBeenWritten ? .connectionLost : .invalidRequest
      default: .connectionLost
      }
    return CurlError(
      reason: reason, mayHaveBeenWritten: mayHaveBeenWritten, detail: String(cString: curl_easy_strerror(code)))
  }

  /// libcurl counts the bytes of request it gave to the kernel, and asks for a body piece by piece: one that it did not
  /// ask for to the end cannot have arrived. An answer, even to half a request, leaves everything open.
  var mayHaveBeenWritten: Bool {
    hasResponse || (number(CURLINFO_REQUEST_SIZE) > 0 && isBodySent)
  }

  private var isBodySent: Bool { bodyBytesSent == request.body?.count ?? 0 }
}
