import Foundation

/// Account and template webhooks in WhatsApp's format.
enum ManagementWebhook {
  /// The business account that they concern.
  static let account = "102290129340398"

  /// The account is banned (`DISABLE`), or no longer (`REINSTATE`).
  static func ban(_ state: String, at instant: Date) -> Data {
    let value = #"{"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "\#(state)"}}"#
    return change("account_update", value, at: instant)
  }

  /// A template may be used (`APPROVED`), or not (`PAUSED`).
  static func template(_ name: String, _ event: String, at instant: Date) -> Data {
    let value = """
      {"event": "\(event)", "message_template_id": 1689556908129832, "message_template_name": "\(name)",
       "message_template_language": "pt_BR", "reason": "NONE"}
      """
    return change("message_template_status_update", value, at: instant)
  }

  private static func change(_ field: String, _ value: String, at instant: Date) -> Data {
    Data(
      """
      {"object": "whatsapp_business_account", "entry": [
        {"id": "\(account)", "time": \(Int(instant.timeIntervalSince1970)),
         "changes": [{"field": "\(field)", "value": \(value)}]}]}
      """.utf8)
  }
}
