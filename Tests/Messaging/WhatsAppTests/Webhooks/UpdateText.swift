import Foundation
import WhatsApp

/// All that an update says, in one line; what is nil is left out.
func text(of update: WebhookUpdate) -> String {
  switch update {
  case .message(let it):
    line(
      "message \(it.wamid) type=\(it.type)",
      [
        ("at", seconds(it.at)), ("from", it.from), ("user", it.userID), ("name", it.profileName),
        ("answers", it.contextID), ("reply", it.replyPayload),
      ], it.origin)
  case .status(let it):
    line(
      "status \(it.wamid) \(it.status.rawValue)",
      [
        ("at", seconds(it.at)), ("to", it.recipient), ("callback", it.callback),
        ("error", it.errorCode.map { "\($0)" }),
      ], it.origin)
  case .event(let it):
    line("event \(it.field)", [("at", seconds(it.at)), ("effect", effectText(it.effect))], it.origin)
  }
}

private func line(_ start: String, _ parts: [(name: String, value: String?)], _ origin: WebhookOrigin) -> String {
  let places: [(name: String, value: String?)] = [
    ("account", origin.account), ("number", origin.phoneNumberID), ("display", origin.displayNumber),
  ]
  let said = (parts + places).compactMap { part in part.value.map { "\(part.name)=\($0)" } }
  return ([start] + said).joined(separator: " ")
}

private func seconds(_ instant: Date?) -> String? { instant.map { "\(Int($0.timeIntervalSince1970))" } }

private func effectText(_ effect: ProviderEvent.Effect) -> String {
  switch effect {
  case .none: "none"
  case .template(let name, let language, let state): "template(\(name),\(language),\(state.rawValue))"
  case .marketing(let preferences):
    "marketing(" + preferences.map(preferenceText).joined(separator: ",") + ")"
  case .accountRestricted(let until): "restricted(\(seconds(until) ?? ""))"
  case .accountBanned(let isBanned): "banned(\(isBanned))"
  }
}

private func preferenceText(_ preference: ProviderEvent.Preference) -> String {
  "\(preference.recipient):\(preference.optedOut ? "stop" : "resume")@\(seconds(preference.at) ?? "")"
}
