package import Curl
internal import Foundation
package import WhatsApp

/// WhatsApp's Cloud API over HTTP.
package struct CloudAPIClient: MessageSender {
  private let http: CurlClient
  private let base: String
  private let token: String

  /// How long connecting may take; a request that found no connection may be sent again.
  private static let connectTimeout = Duration.seconds(5)
  /// How long the answer may take to begin, and to be whole. Together with the database's part an attempt stays within
  /// a pool's timeout of 30 s.
  private static let firstByteTimeout = Duration.seconds(12)
  private static let timeout = Duration.seconds(15)
  /// An answer has a few hundred bytes.
  private static let responseBytesMax = 256 << 10

  /// - Parameter url: such as `https://graph.facebook.com`, without a slash at the end.
  /// - Parameter version: the API's, such as `v23.0`.
  /// - Parameter token: the bearer token; it is sent, and told nobody.
  package init(http: CurlClient, url: String, version: String, token: String) {
    self.http = http
    base = "\(url)/\(version)"
    self.token = token
  }

  /// Sends a message and tells apart what was accepted, refused, never arrived, or is in doubt.
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
      return .inDoubt(reason: "the wait was given up")
    }
  }

  /// What an answer means. One that says nothing of either kind leaves the message in doubt where a server behind a
  /// gateway may have accepted it.
  static func interpret(_ response: CurlResponse) -> SendResult {
    let decoder = JSONDecoder()
    if (200..<300).contains(response.status) {
      guard let answer = try? decoder.decode(SendMessageResponse.self, from: response.body),
        let wamid = answer.messages.first?.id, (1...512).contains(wamid.utf8.count)
      else { return .inDoubt(reason: "the answer has no message id") }
      return .accepted(wamid: wamid, recipientID: answer.contacts?.first?.wa_id)
    }
    if let refusal = try? decoder.decode(ErrorResponse.self, from: response.body).error {
      let code = refusal.error_subcode == 33 && refusal.code == 100 ? 33 : refusal.code
      return .refused(
        CloudError(code: code, httpStatus: response.status, isTransient: refusal.is_transient ?? false))
    }
    if response.status >= 500 { return .inDoubt(reason: "HTTP \(response.status) without an error of the API") }
    // A gateway's word, not the API's: nothing was accepted, and it is no fault of the message.
    return .refused(CloudError(code: 0, httpStatus: response.status))
  }
}

/// The answer to an accepted message. The id is all that must be there.
private struct SendMessageResponse: Decodable {
  struct Contact: Decodable { let wa_id: String? }
  struct Message: Decodable { let id: String }
  let contacts: [Contact]?
  let messages: [Message]

  private enum CodingKeys: String, CodingKey { case contacts, messages }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    messages = try values.decode([Message].self, forKey: .messages)
    contacts = try? values.decode([Contact].self, forKey: .contacts)
  }
}

/// The answer to a refused one. The code is all that must be there.
private struct ErrorResponse: Decodable {
  struct Problem: Decodable {
    let code: Int
    let error_subcode: Int?
    let is_transient: Bool?

    private enum CodingKeys: String, CodingKey { case code, error_subcode, is_transient }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      code = Int(try values.decode(Int32.self, forKey: .code))
      error_subcode = try? values.decode(Int.self, forKey: .error_subcode)
      is_transient = try? values.decode(Bool.self, forKey: .is_transient)
    }
  }
  let error: Problem
}
