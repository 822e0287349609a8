internal import Foundation

/// A webhook that is ready to be posted; a repetition has the same bytes.
struct Webhook: Sendable {
  /// The log's name for it, such as `webhook sent`.
  let event: String
  /// nil: the webhook is about a template.
  let wamid: String?
  /// nil: the webhook is not about a status.
  let status: MessageStatus?
  let callback: String?
  /// The error's code.
  let code: Int?
  let body: Data

  static func status(
    _ status: MessageStatus, of message: WebhookDocuments.Message, at time: Date, code: Int?
  ) -> Webhook {
    let code = status == .failed ? code : nil
    let document = WebhookDocuments.status(status, of: message, at: time, code: code)
    return Webhook(
      event: "webhook \(status.rawValue)", wamid: message.wamid, status: status, callback: message.request.callback,
      code: code, body: WebhookEncoding.body(document))
  }

  static func inbound(_ message: WebhookDocuments.Inbound, at time: Date) -> Webhook {
    Webhook(
      event: "webhook inbound", wamid: message.wamid, status: nil, callback: nil, code: nil,
      body: WebhookEncoding.body(WebhookDocuments.inbound(message, at: time)))
  }

  static func template(_ template: ApprovedTemplate, _ state: TemplateState, at time: Date) -> Webhook {
    Webhook(
      event: "webhook template", wamid: nil, status: nil, callback: nil, code: nil,
      body: WebhookEncoding.body(WebhookDocuments.template(template, state, at: time)))
  }
}
