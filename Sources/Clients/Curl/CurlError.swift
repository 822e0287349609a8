/// Why there is no whole response. `description` is safe to log: it holds neither URL nor content.
package struct CurlError: Error, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    /// There was no connection; the request was not written.
    case notConnected
    case timedOut
    case cancelled
    /// The connection broke, or the response was no HTTP.
    case connectionLost
    case responseTooLarge
    /// The URL or a header cannot be used.
    case invalidRequest
  }

  package let reason: Reason
  /// True: the whole request may have reached the server, and whether it acted on it is unknown. False: the server
  /// cannot have acted on it, and it may be sent again.
  package let mayHaveBeenWritten: Bool
  /// libcurl's text for the kind of error, or this client's.
  package let detail: String

  package var description: String { "the HTTP request failed: \(detail)" }
}
