/// The commands that Redis refuses because of its own state (read-only, out of memory, no password ...): a state
/// machine without I/O. Callers do without Redis then, so this is what an operator learns of it.
struct RedisRefusals {
  /// Codes of replies that say something of the server, not of the command.
  static let serverCodes: Set<String> = [
    "READONLY", "OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN", "LOADING", "BUSY", "NOAUTH", "NOPERM", "CLUSTERDOWN",
  ]

  /// Names of the refused commands, by code.
  private var refused: [String: Set<String>] = [:]

  /// True while some command is refused.
  var isActive: Bool { !refused.isEmpty }

  /// Notes a refusal; true where it is the first with its code.
  mutating func refused(_ command: String, code: String) -> Bool {
    defer { refused[code, default: []].insert(command) }
    return refused[code] == nil
  }

  /// Notes that a command was taken; true where none is refused any more.
  mutating func taken(_ command: String) -> Bool {
    guard isActive else { return false }
    for code in refused.keys {
      refused[code]?.remove(command)
      if refused[code]?.isEmpty == true { refused[code] = nil }
    }
    return !isActive
  }
}
