public import Foundation

/// An HTTP request.
public struct CurlRequest: Sendable {
  public var method: String
  /// An `http` or `https` URL.
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: Data?
  /// How long connecting, TLS included, may take. Default 5 s.
  public var connectTimeout: Duration
  /// How long all of it may take. Default 30 s.
  public var timeout: Duration
  /// A larger response is given up, in bytes. Default 8 MiB.
  public var responseBytesMax: Int

  public init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: Data? = nil,
    connectTimeout: Duration = .seconds(5), timeout: Duration = .seconds(30), responseBytesMax: Int = 8 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.connectTimeout = connectTimeout
    self.timeout = timeout
    self.responseBytesMax = responseBytesMax
  }
}

/// What the server answered.
public struct CurlResponse: Sendable {
  public let status: Int
  /// In the order received, names in lower case.
  public let headers: [(name: String, value: String)]
  public let body: Data

  /// The first header of that name, given in lower case.
  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why there is no whole response. `description` is safe to log: it names neither URL nor content.
public struct CurlError: Error, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    /// No connection came about; the request was not written.
    case notConnected
    case timedOut
    case cancelled
    /// The connection broke, or the answer was no HTTP.
    case broken
    case responseTooLarge
    /// The URL or a header cannot be used.
    case invalidRequest
  }

  public let reason: Reason
  /// True where any of the request may have reached the server: whether it was acted upon is then unknown.
  public let mayHaveBeenWritten: Bool
  /// libcurl's own words for the class of error.
  public let detail: String

  public var description: String { "the HTTP request failed: \(detail)" }
}
