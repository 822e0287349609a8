internal import Foundation

/// A webhook that is ready to be posted: however often it is posted, its bytes are the same.
struct Webhook: Sendable {
  /// For the log: `webhook` and what it tells of.
  let what: String
  /// The message it is about; nil for a template's.
  let wamid: String?
  /// The message's status; nil where it tells of something else.
  let status: MessageStatus?
  let callback: String?
  /// The error's code; nil where there is none.
  let code: Int?
  let body: Data

  /// A message's status.
  static func status(
    _ status: MessageStatus, of message: WebhookDocuments.Message, at time: Date, code: Int?
  ) -> Webhook {
    let code = status == .failed ? code : nil
    let document = WebhookDocuments.status(status, of: message, at: time, code: code)
    return Webhook(
      what: "webhook \(status.rawValue)", wamid: message.wamid, status: status, callback: message.request.callback,
      code: code, body: WebhookEncoding.body(document))
  }

  /// A message to the business.
  static func inbound(_ message: WebhookDocuments.Inbound, at time: Date) -> Webhook {
    Webhook(
      what: "webhook inbound", wamid: message.wamid, status: nil, callback: nil, code: nil,
      body: WebhookEncoding.body(WebhookDocuments.inbound(message, at: time)))
  }

  /// A template that is in a new state.
  static func template(_ template: ApprovedTemplate, _ state: TemplateState, at time: Date) -> Webhook {
    Webhook(
      what: "webhook template", wamid: nil, status: nil, callback: nil, code: nil,
      body: WebhookEncoding.body(WebhookDocuments.template(template, state, at: time)))
  }
}
