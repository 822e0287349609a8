internal import ClientLoop
internal import Crypto
package import Foundation

/// Reads the body of a webhook's POST. Nothing in it is an error: what cannot be read, or has an unknown shape, becomes
/// a ``ProviderEvent`` that is stored.
package enum WebhookParser {
  /// The field of an event whose body was not JSON.
  package static let unreadableField = "unreadable"
  /// The field of an event that has another shape than webhooks have.
  package static let unknownField = "unknown"

  /// The updates in the order of the body.
  package static func updates(in body: Data) -> [WebhookUpdate] {
    guard let root = LenientJSON.object(body) else {
      let text = "\"\(body.base64EncodedString())\""
      return [event(WebhookOrigin(), unreadableField, nil, text)]
    }
    guard let root = root as? [String: Any], let entries = root["entry"] as? [Any], !entries.isEmpty else {
      return [event(WebhookOrigin(), unknownField, nil, LenientJSON.text(root))]
    }
    return entries.flatMap { entry -> [WebhookUpdate] in
      guard let entry = entry as? [String: Any], let changes = entry["changes"] as? [Any], !changes.isEmpty else {
        return [event(WebhookOrigin(), unknownField, nil, LenientJSON.text(entry))]
      }
      let origin = WebhookOrigin(account: identifier(entry["id"]))
      let at = instant(entry["time"])
      return changes.flatMap { updates(of: $0, origin, at) }
    }
  }

  private static func updates(of change: Any, _ origin: WebhookOrigin, _ at: Date?) -> [WebhookUpdate] {
    guard let change = change as? [String: Any], let field = name(change["field"]) else {
      return [event(origin, unknownField, at, LenientJSON.text(change))]
    }
    guard let value = change["value"] as? [String: Any] else {
      return [event(origin, field, at, LenientJSON.text(change["value"] ?? NSNull()))]
    }
    var origin = origin
    let metadata = value["metadata"] as? [String: Any]
    origin.phoneNumberID = identifier(metadata?["phone_number_id"])
    origin.displayNumber = identifier(metadata?["display_phone_number"] ?? value["display_phone_number"])
    guard field == "messages" else {
      return [event(origin, field, at, LenientJSON.text(value), ManagementEventParser.effect(of: field, value))]
    }
    var updates: [WebhookUpdate] = []
    // A value that should be a list and is not is stored as it is.
    for name in ["messages", "statuses", "errors"] {
      guard let list = value[name], !(list is NSNull), !(list is [Any]) else { continue }
      updates.append(event(origin, "\(name).unknown", at, LenientJSON.text(list)))
    }
    let contacts = WebhookContacts(value["contacts"])
    for item in value["messages"] as? [Any] ?? [] {
      updates.append(message(item, contacts, origin) ?? event(origin, "messages.unknown", at, LenientJSON.text(item)))
    }
    for item in value["statuses"] as? [Any] ?? [] {
      updates.append(status(item, origin) ?? event(origin, "statuses.unknown", at, LenientJSON.text(item)))
    }
    for item in value["errors"] as? [Any] ?? [] {
      updates.append(event(origin, "messages.errors", at, LenientJSON.text(item)))
    }
    return updates.isEmpty ? [event(origin, field, at, LenientJSON.text(value))] : updates
  }

  private static func message(_ item: Any, _ contacts: WebhookContacts, _ origin: WebhookOrigin) -> WebhookUpdate? {
    guard let item = item as? [String: Any], let wamid = identifier(item["id"]) else { return nil }
    let from = identifier(item["from"])
    let userID = identifier(item["from_user_id"])
    let contact = contacts.contact(from: from, userID: userID)
    let button = item["button"] as? [String: Any]
    let interactive = item["interactive"] as? [String: Any]
    let reply = (interactive?["button_reply"] ?? interactive?["list_reply"]) as? [String: Any]
    return .message(
      InboundMessage(
        origin: origin, wamid: wamid, from: from, userID: userID ?? identifier(contact?["user_id"]),
        profileName: (contact?["profile"] as? [String: Any])?["name"] as? String, at: instant(item["timestamp"]),
        type: name(item["type"]) ?? "unknown",
        contextID: identifier((item["context"] as? [String: Any])?["id"]),
        replyPayload: (button?["payload"] ?? reply?["id"]) as? String, raw: LenientJSON.text(item)))
  }

  private static func status(_ item: Any, _ origin: WebhookOrigin) -> WebhookUpdate? {
    guard let item = item as? [String: Any], let wamid = identifier(item["id"]),
      let status = (item["status"] as? String).flatMap(DeliveryStatus.init)
    else { return nil }
    let errors = item["errors"] as? [Any]
    let code = ((errors?.first as? [String: Any])?["code"] as? NSNumber)?.intValue
    return .status(
      StatusReport(
        origin: origin, wamid: wamid, status: status, at: instant(item["timestamp"]),
        recipient: identifier(item["recipient_id"]) ?? identifier(item["recipient_user_id"]) ?? "",
        callback: identifier(item["biz_opaque_callback_data"]),
        errorCode: code.flatMap { Int32(exactly: $0) }.map(Int.init),
        raw: LenientJSON.text(item)))
  }

  /// The key has the time in it because the same thing may happen twice (a template is paused, reinstated and paused
  /// again).
  private static func event(
    _ origin: WebhookOrigin, _ field: String, _ at: Date?, _ raw: String, _ effect: ProviderEvent.Effect = .none
  ) -> WebhookUpdate {
    let number = origin.phoneNumberID ?? origin.displayNumber ?? ""
    let identity = [origin.account ?? "", number, field, at.map { "\(Int($0.timeIntervalSince1970))" } ?? "", raw]
    let key = SHA256.hash(data: Data(identity.joined(separator: "\n").utf8)).hexEncoded
    return .event(ProviderEvent(origin: origin, field: field, at: at, key: key, effect: effect, raw: raw))
  }

  /// An id of the provider. They are short; a longer text would not fit into an index and counts as none.
  static func identifier(_ value: Any?) -> String? {
    guard let text = value as? String, !text.isEmpty, text.utf8.count <= 512 else { return nil }
    return text
  }

  private static func name(_ value: Any?) -> String? {
    guard let text = value as? String, !text.isEmpty, text.utf8.count <= 100 else { return nil }
    return text
  }

  /// Seconds since 1970, as text or number; nil: outside the years 2000 to 2099.
  static func instant(_ value: Any?) -> Date? {
    let seconds = (value as? String).flatMap(Double.init) ?? (value as? NSNumber)?.doubleValue
    guard let seconds, (946_684_800...4_102_444_800).contains(seconds) else { return nil }
    return Date(timeIntervalSince1970: seconds)
  }
}
