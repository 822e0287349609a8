package import Curl
internal import Foundation
package import WhatsApp

/// WhatsApp's Cloud API over HTTP.
package struct CloudAPIClient: MessageSender {
  private let http: CurlClient
  private let base: String
  private let token: String

  /// A request that found no connection may be sent again.
  private static let connectTimeout = Duration.seconds(5)
  /// With the database's part an attempt stays within a pool's timeout of 30 s.
  private static let firstByteTimeout = Duration.seconds(12)
  private static let timeout = Duration.seconds(15)
  /// A response has a few hundred bytes.
  private static let responseBytesMax = 256 << 10

  /// - Parameter url: such as `https://graph.facebook.com`, without a slash at the end.
  /// - Parameter version: the API's, such as `v23.0`.
  /// - Parameter token: the bearer token; never logged.
  package init(http: CurlClient, url: String, version: String, token: String) {
    self.http = http
    base = "\(url)/\(version)"
    self.token = token
  }

  package func send(_ message: TemplateMessage) async -> SendResult {
    let body: Data
    do { body = try JSONEncoder().encode(SendMessageRequest(message)) } catch {
      return .notSent(reason: "the message cannot be written as JSON")
    }
    let request = CurlRequest(
      "POST", "\(base)/\(message.phoneNumberID)/messages",
      headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")], body: body,
      connectTimeout: Self.connectTimeout, firstByteTimeout: Self.firstByteTimeout, timeout: Self.timeout,
      responseBytesMax: Self.responseBytesMax)
    do {
      return Self.interpret(try await http.send(request))
    } catch let error as CurlError {
      return error.mayHaveBeenWritten ? .inDoubt(reason: error.detail) : .notSent(reason: error.detail)
    } catch {
      return .inDoubt(reason: "the request was cancelled")
    }
  }

  /// A response that is neither the API's acceptance nor its refusal leaves the message in doubt where a server behind
  /// a gateway may have accepted it.
  static func interpret(_ response: CurlResponse) -> SendResult {
    let decoder = JSONDecoder()
    if (200..<300).contains(response.status) {
      guard let accepted = try? decoder.decode(SendMessageResponse.self, from: response.body),
        let wamid = accepted.messages.first?.id, (1...512).contains(wamid.utf8.count)
      else { return .inDoubt(reason: "the response has no message id") }
      return .accepted(wamid: wamid, recipientID: accepted.contacts?.first?.wa_id)
    }
    if let refusal = try? decoder.decode(ErrorResponse.self, from: response.body).error {
      let code = refusal.error_subcode == 33 && refusal.code == 100 ? 33 : refusal.code
      return .refused(
        CloudError(code: code, httpStatus: response.status, isTransient: refusal.is_transient ?? false))
    }
    if response.status >= 500 { return .inDoubt(reason: "HTTP \(response.status) without an error of the API") }
    // A gateway's response, not the API's: nothing was accepted, and the message is not at fault.
    return .refused(CloudError(code: 0, httpStatus: response.status))
  }
}
