internal import Foundation

/// Reads what management events change.
enum ManagementEventParser {
  static func effect(of field: String, _ value: [String: Any]) -> ProviderEvent.Effect {
    switch field {
    case "message_template_status_update": template(value)
    case "user_preferences": preferences(value)
    case "account_update": account(value)
    default: .none
    }
  }

  private static func template(_ value: [String: Any]) -> ProviderEvent.Effect {
    guard let name = WebhookParser.identifier(value["message_template_name"]),
      let language = WebhookParser.identifier(value["message_template_language"])
    else { return .none }
    let state: ProviderEvent.TemplateState
    switch value["event"] as? String {
    case "APPROVED", "REINSTATED", "UNARCHIVED": state = .approved
    case "PAUSED": state = .paused
    case "DISABLED", "DELETED", "PENDING_DELETION", "ARCHIVED", "LOCKED": state = .disabled
    case "REJECTED": state = .rejected
    default: return .none  // PENDING, FLAGGED, IN_APPEAL and future ones do not change whether it may be used
    }
    return .template(name: name, language: language, state: state)
  }

  private static func preferences(_ value: [String: Any]) -> ProviderEvent.Effect {
    let preferences = (value["user_preferences"] as? [Any] ?? []).compactMap { item -> ProviderEvent.Preference? in
      guard let item = item as? [String: Any], item["category"] as? String == "marketing_messages",
        let recipient = WebhookParser.identifier(item["wa_id"]) ?? WebhookParser.identifier(item["user_id"]),
        let choice = item["value"] as? String, choice == "stop" || choice == "resume"
      else { return nil }
      return .init(recipient: recipient, optedOut: choice == "stop", at: WebhookParser.instant(item["timestamp"]))
    }
    return preferences.isEmpty ? .none : .marketing(preferences)
  }

  private static func account(_ value: [String: Any]) -> ProviderEvent.Effect {
    switch value["event"] as? String {
    case "ACCOUNT_RESTRICTION":
      let restrictions = (value["restriction_info"] as? [Any] ?? []).compactMap { $0 as? [String: Any] }
      let ends =
        restrictions
        .filter { $0["restriction_type"] as? String == "RESTRICTED_BIZ_INITIATED_MESSAGING" }
        .compactMap { WebhookParser.instant($0["expiration"]) }
      return ends.max().map { .accountRestricted(until: $0) } ?? .none
    case "DISABLED_UPDATE":
      switch (value["ban_info"] as? [String: Any])?["waba_ban_state"] as? String {
      case "DISABLE": return .accountBanned(true)
      case "REINSTATE": return .accountBanned(false)
      default: return .none
      }
    case "ACCOUNT_DELETED": return .accountBanned(true)
    default: return .none
    }
  }
}
