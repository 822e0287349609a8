package import Foundation
package import Jobs

/// The body of a webhook's POST whose signature was valid.
package struct WhatsAppEvent: RawJob {
  /// Never changed: queues.yaml routes by it.
  package static let kind: JobKind = "whatsapp.event"
  /// Personal data: must not be logged.
  package let body: Data

  package init(body: Data) { self.body = body }
}
