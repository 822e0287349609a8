import Foundation
import WhatsApp

/// True where a NUL is left in anything that an update would put into a database.
func holdsNull(_ update: WebhookUpdate) -> Bool {
  if text(of: update).unicodeScalars.contains("\u{0}") || update.raw.unicodeScalars.contains("\u{0}") { return true }
  guard let stored = try? json(update.raw) else { return false }
  return holdsNull(inside: stored)
}

private func holdsNull(inside value: Any) -> Bool {
  switch value {
  case let text as String: text.unicodeScalars.contains("\u{0}")
  case let object as [String: Any]:
    object.contains { $0.key.unicodeScalars.contains("\u{0}") || holdsNull(inside: $0.value) }
  case let list as [Any]: list.contains { holdsNull(inside: $0) }
  default: false
  }
}

/// True where a text is JSON.
func isJSON(_ text: String) -> Bool { (try? json(text)) != nil }

/// The value many times: each time with one of the values in it replaced, or left out.
func variants(of value: Any) -> [Any] {
  var result: [Any] = [NSNull(), 7, -1.5e300, true, "text", [Any](), [7, "text"] as [Any], [String: Any](), ["a": 1]]
  if let object = value as? [String: Any] {
    for (key, inner) in object {
      for variant in variants(of: inner) { result.append(object.merging([key: variant]) { $1 }) }
      result.append(object.filter { $0.key != key })
    }
  } else if let list = value as? [Any] {
    for place in list.indices {
      for variant in variants(of: list[place]) {
        var changed = list
        changed[place] = variant
        result.append(changed)
      }
    }
  }
  return result
}
