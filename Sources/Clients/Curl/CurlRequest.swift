package import Foundation

/// An HTTP request.
package struct CurlRequest: Sendable {
  /// The method in upper case, such as `POST`; it is sent as it is.
  package var method: String
  /// An `http` or `https` URL. Certificates are verified.
  package var url: String
  /// Sent in this order, besides libcurl's own. One without a value is left out; a line break in one makes the request
  /// invalid.
  package var headers: [(name: String, value: String)]
  /// The body, as it is to be sent; nil: none.
  package var body: Data?
  /// How long connecting, TLS included, may take. Default 5 s.
  package var connectTimeout: Duration
  /// How long the first byte of the answer may take, counted from the beginning. Default: as long as all of it.
  package var firstByteTimeout: Duration?
  /// How long all of it may take. Default 30 s.
  package var timeout: Duration
  /// A larger response is given up, in bytes. Default 8 MiB.
  package var responseBytesMax: Int

  /// Puts a request together; whether URL and headers can be used is seen when it is sent.
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

/// What the server answered.
package struct CurlResponse: Sendable {
  /// The status code of the final response, after any interim ones; redirects are not followed.
  package let status: Int
  /// The version the server spoke: `1.0`, `1.1` or `2`.
  package let httpVersion: String
  /// In the order received, names in lower case.
  package let headers: [(name: String, value: String)]
  /// The whole body, as many bytes as ``CurlRequest/responseBytesMax`` at most; empty where it went to a file.
  package let body: Data

  /// The first header of that name, given in lower case.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why there is no whole response. `description` is safe to log: it names neither URL nor content.
package struct CurlError: Error, CustomStringConvertible {
  /// The classes of failure that a caller may treat differently.
  package enum Reason: Sendable, Equatable {
    /// No connection came about; the request was not written.
    case notConnected
    case timedOut
    case cancelled
    /// The connection broke, or the answer was no HTTP.
    case connectionLost
    case responseTooLarge
    /// The URL or a header cannot be used.
    case invalidRequest
    /// The file for the body cannot be written.
    case fileNotWritten
  }

  /// Which class of failure it is.
  package let reason: Reason
  /// True where all of the request may have reached the server: whether it was acted upon is then unknown. False: the
  /// server cannot have acted upon it, and it may be sent again.
  package let mayHaveBeenWritten: Bool
  /// libcurl's own words for the class of error.
  package let detail: String

  /// A sentence that is safe to log, made of ``detail`` alone.
  package var description: String { "the HTTP request failed: \(detail)" }
}
