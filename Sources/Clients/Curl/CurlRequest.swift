package import Foundation

/// An HTTP request.
package struct CurlRequest: Sendable {
  /// The method in upper case, such as `POST`.
  package var method: String
  /// An `http` or `https` URL. Certificates are verified.
  package var url: String
  /// Sent in this order, after libcurl's own. A header without a value is not sent; one with a line break makes the
  /// request invalid.
  package var headers: [(name: String, value: String)]
  /// nil: no body.
  package var body: Data?
  /// How long connecting, TLS included, may take. Default 5 s.
  package var connectTimeout: Duration
  /// How long the first byte of the response may take, from the start of the request; nil: ``timeout`` alone.
  package var firstByteTimeout: Duration?
  /// How long the whole request may take. Default 30 s.
  package var timeout: Duration
  /// A larger response body is an error. Default 8 MiB.
  package var responseBytesMax: Int

  package init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: Data? = nil,
    connectTimeout: Duration = .seconds(5), firstByteTimeout: Duration? = nil, timeout: Duration = .seconds(30),
    responseBytesMax: Int = 8 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.connectTimeout = connectTimeout
    self.firstByteTimeout = firstByteTimeout
    self.timeout = timeout
    self.responseBytesMax = responseBytesMax
  }
}
