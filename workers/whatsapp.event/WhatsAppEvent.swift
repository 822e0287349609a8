package import Foundation
package import Jobs

/// A webhook's POST as it came, with a signature that was right: one message, whatever it holds.
package struct WhatsAppEvent: RawJob {
  /// The name queues.yaml routes it by; never changed.
  package static let kind: JobKind = "whatsapp.event"
  /// The provider's bytes. Personal data: they must not be logged.
  package let body: Data

  /// Takes the bytes as they are; whether they can be read is the worker's affair.
  package init(body: Data) { self.body = body }
}
