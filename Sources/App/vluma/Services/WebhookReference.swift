import Foundation
import Jobs
import WhatsApp
import Workers

/// Names what is in a webhook by WhatsApp's own ids, so that its body need not be kept.
enum WebhookReference {
  /// WhatsApp's own limit of updates in a webhook.
  private static let idsMax = 1_000
  private static let source = "whatsapp"

  /// The reference that is recorded of an accepted job; of other kinds only the job's own id is known.
  static func reference(to job: JobEnvelope) async -> AcceptedReference {
    guard job.kind == WhatsAppEvent.kind else { return AcceptedReference(source: "", eventIDs: []) }
    let updates = await WebhookParser.updates(inAll: [job.body]).first ?? []
    return AcceptedReference(source: source, eventIDs: updates.prefix(idsMax).map(\.eventID))
  }
}

extension WebhookUpdate {
  /// WhatsApp's id of the message, with what is reported of it; for others the field and the hash they are stored by.
  fileprivate var eventID: String {
    switch self {
    case .message(let message): message.wamid
    case .status(let report): "\(report.wamid) \(report.status.rawValue)"
    case .event(let event): "\(event.field) \(event.key)"
    }
  }
}
