internal import Foundation
internal import Synchronization

/// Makes ids that look like Meta's but contain nothing of the recipient. They are unique across runs with the same seed
/// too: what was stored in one run must not be mistaken for another's.
final class SandboxIDs: Sendable {
  private let run = (0..<4).map { _ in UInt32.random(in: 0 ... .max) }
  private let count = Mutex(0)

  private func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }

  /// The id of a message.
  func wamid() -> String {
    // Meta's begin with these three bytes, HBgN in base64.
    let head: [UInt8] = [0x1c, 0x18, 0x0d]
    let rest = Array(Hashing.bytes("\(run)|wamid|\(next())").prefix(27))
    return "wamid." + Data(head + rest).base64EncodedString()
  }

  /// The id of an error, for Meta's support.
  func trace() -> String {
    let text = Data(Hashing.bytes("\(run)|trace|\(next())")).base64EncodedString()
    return "A\(text.replacing("+", with: "-").replacing("/", with: "_").prefix(22))"
  }

  /// The business-scoped user id of a number: the same for the same number.
  static func user(_ digits: String) -> String { "BR.\(Hashing.number("user|\(digits)"))" }
}
