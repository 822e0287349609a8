internal import CCurl
internal import Foundation
internal import Wires

/// One request under way, with the easy handle it runs on. Made anywhere, then touched by the client's thread only.
///
/// `@unchecked Sendable` for that hand-over; `response` is the only part that callers look at.
final class CurlTransfer: @unchecked Sendable {
  let response = OneShot<CurlResponse>()
  let easy: UnsafeMutableRawPointer
  private let request: CurlRequest
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private var headers: [(name: String, value: String)] = []
  private var body = Data()
  private var isTooLarge = false

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

  /// Sets all options; throws where libcurl refuses one. The transfer must stay alive while the handle runs.
  func prepare() throws(CurlError) {
    var results: [CURLcode] = []
    results.append(vluma_setopt_pointer(easy, CURLOPT_URL, request.url))
    results.append(vluma_setopt_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https"))
    results.append(vluma_setopt_long(easy, CURLOPT_NOSIGNAL, 1))
    results.append(vluma_setopt_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(request.connectTimeout / .milliseconds(1))))
    results.append(vluma_setopt_long(easy, CURLOPT_TIMEOUT_MS, Int(request.timeout / .milliseconds(1))))
    results.append(vluma_setopt_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)))
    if let body = request.body {
      results.append(vluma_setopt_long(easy, CURLOPT_POSTFIELDSIZE, body.count))
      body.withUnsafeBytes { results.append(vluma_setopt_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)) }
    } else if request.method == "HEAD" {
      results.append(vluma_setopt_long(easy, CURLOPT_NOBODY, 1))
    }
    results.append(vluma_setopt_pointer(easy, CURLOPT_CUSTOMREQUEST, request.method))
    // "Expect: 100-continue" would cost a round trip for larger bodies.
    for (name, value) in request.headers + [("Expect", "")] {
      let isClean = !(name + value).utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 }
      guard isClean else {
        throw CurlError(reason: .invalidRequest, mayHaveBeenWritten: false, detail: "a header holds a line break")
      }
      headerList = curl_slist_append(headerList, "\(name):\(value.isEmpty ? "" : " \(value)")")
    }
    results.append(vluma_setopt_pointer(easy, CURLOPT_HTTPHEADER, headerList))
    let me = Unmanaged.passUnretained(self).toOpaque()
    results.append(vluma_setopt_pointer(easy, CURLOPT_PRIVATE, me))
    results.append(vluma_setopt_pointer(easy, CURLOPT_WRITEDATA, me))
    results.append(vluma_setopt_pointer(easy, CURLOPT_HEADERDATA, me))
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

  /// The transfer a callback or a finished handle belongs to.
  static func at(_ pointer: UnsafeMutableRawPointer?) -> CurlTransfer? {
    pointer.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
  }

  private func receive(body bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    guard body.count + count <= request.responseBytesMax else {
      isTooLarge = true
      return 0  // libcurl then ends the transfer
    }
    body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
    return count
  }

  private func receive(header bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
    let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers = []  // a final response after an interim one
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
      headers.append((line[..<colon].lowercased(), value))
    }
    return count
  }

  /// The handle has run.
  func finish(_ code: CURLcode) {
    guard code == CURLE_OK else {
      response.resolve(.failure(failure(code)))
      return
    }
    var status = 0
    _ = vluma_getinfo_long(easy, CURLINFO_RESPONSE_CODE, &status)
    response.resolve(.success(CurlResponse(status: status, headers: headers, body: body)))
  }

  private func failure(_ code: CURLcode) -> CurlError {
    let reason: CurlError.Reason =
      switch code {
      case _ where isTooLarge: .responseTooLarge
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_SSL_CONNECT_ERROR,
        CURLE_PEER_FAILED_VERIFICATION:
        .notConnected
      case CURLE_OPERATION_TIMEDOUT: .timedOut
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest
      default: .broken
      }
    return CurlError(
      reason: reason, mayHaveBeenWritten: mayHaveBeenWritten, detail: String(cString: curl_easy_strerror(code)))
  }

  /// libcurl counts the bytes of request it gave to the kernel.
  var mayHaveBeenWritten: Bool {
    var bytes = 0
    _ = vluma_getinfo_long(easy, CURLINFO_REQUEST_SIZE, &bytes)
    return bytes > 0
  }
}
