package import Foundation
package import WhatsApp

/// A number, template or account whose messages are not sent for the time being.
package struct Suspension: Sendable, Equatable {
  package let scope: ErrorPolicy.Scope
  package let key: String
  /// After this instant one message is sent as a probe.
  package let until: Date
  /// The provider's code; 0: suspended by an event.
  package let code: Int

  package init(scope: ErrorPolicy.Scope, key: String, until: Date, code: Int) {
    self.scope = scope
    self.key = key
    self.until = until
    self.code = code
  }
}
