import ClientLoop
import Foundation
import Jobs
import WhatsApp
import Workers

/// Names what is in a webhook by WhatsApp's own ids, so that its body need not be kept. A webhook of 3 MiB takes tens of
/// milliseconds to read: that is done on a thread of its own.
actor WebhookReference {
  private let executor: ThreadExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// WhatsApp's own limit of updates in a webhook.
  private static let idsMax = 1_000
  private static let source = "whatsapp"

  private init(_ executor: ThreadExecutor) { self.executor = executor }

  /// Makes references for the recorder of accepted jobs; of other kinds only the job's own id is known.
  static func reader() throws -> @Sendable (JobEnvelope) async -> AcceptedReference {
    let reader = WebhookReference(try ThreadExecutor(name: "webhook ids"))
    return { await reader.reference(to: $0) }
  }

  private func reference(to job: JobEnvelope) -> AcceptedReference {
    guard job.kind == WhatsAppEvent.kind else { return AcceptedReference(source: "", eventIDs: []) }
    let ids = WebhookParser.updates(in: job.body).prefix(Self.idsMax).map(\.eventID)
    return AcceptedReference(source: Self.source, eventIDs: ids)
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
