internal import Messaging
internal import WhatsApp

extension OutgoingMessage {
  /// The key of a scope for this message; nil: the scope cannot be suspended.
  func key(of scope: ErrorPolicy.Scope, _ content: TemplateContent) -> String? {
    switch scope {
    case .message, .pair: nil
    case .number: phoneNumberID
    case .account: account
    case .template: SuspensionStore.key(template: content.name, language: content.language, account: account)
    }
  }

  /// The suspensions that apply to this message.
  func suspensions(applyingTo content: TemplateContent) -> [Suspension] {
    suspensions.filter { $0.key == key(of: $0.scope, content) }
  }
}
