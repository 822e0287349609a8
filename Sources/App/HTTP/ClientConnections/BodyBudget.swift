internal import NIOCore

/// The memory for the bodies of all requests, charged by what has arrived, never by what was announced.
///
/// It is divided, so that one kind of sender cannot take the place of another. Where a share is used up, the body that
/// has been arriving longest is cut off for a new one: an honest body arrives in a fraction of a second.
struct BodyBudget {
  /// Which requests a body belongs to.
  enum Kind: Sendable { case api, webhook }

  /// Parts of the budget. A webhook's body is charged to the small share up to 64 KiB, then to the large one as a
  /// whole.
  enum Share: String, CaseIterable {
    case api, smallWebhooks = "small_webhooks", largeWebhooks = "large_webhooks"
  }

  enum Charge: Equatable {
    /// There is room once these bodies are cut off; they are not charged any more.
    case granted(cutOff: [ObjectIdentifier])
    case refused
  }

  private struct Entry {
    let kind: Kind
    let since: NIODeadline
    /// Its connection has sent a webhook with a valid signature before.
    let isTrusted: Bool
    var bytes = 0
    var isArriving = true
  }

  static let smallBytesMax = 64 << 10
  /// How long a body may arrive before an unknown client's body may take its place.
  static let honestTime = TimeAmount.seconds(1)

  private let bytesMax: [Share: Int]
  private var entries: [ObjectIdentifier: Entry] = [:]
  private var used: [Share: Int] = [:]

  init(bytesMax: [Share: Int] = [.api: 32 << 20, .smallWebhooks: 32 << 20, .largeWebhooks: 64 << 20]) {
    self.bytesMax = bytesMax
  }

  func bytes(_ share: Share) -> Int { used[share, default: 0] }

  private static func share(_ kind: Kind, _ bytes: Int) -> Share {
    switch kind {
    case .api: .api
    case .webhook: bytes > smallBytesMax ? .largeWebhooks : .smallWebhooks
    }
  }

  /// Charges bytes of a body that have arrived.
  mutating func charge(
    _ id: ObjectIdentifier, _ count: Int, _ kind: Kind, isTrusted: Bool, _ now: NIODeadline
  ) -> Charge {
    var entry = entries[id] ?? Entry(kind: kind, since: now, isTrusted: isTrusted)
    let before = Self.share(kind, entry.bytes)
    let after = Self.share(kind, entry.bytes + count)
    let needed = before == after ? count : entry.bytes + count
    var cutOff: [ObjectIdentifier] = []
    while bytes(after) + needed > bytesMax[after, default: 0] {
      guard let victim = slowest(in: after, besides: id, for: isTrusted, now) else { return .refused }
      release(victim)
      cutOff.append(victim)
    }
    used[before, default: 0] -= entry.bytes
    entry.bytes += count
    used[after, default: 0] += entry.bytes
    entries[id] = entry
    return .granted(cutOff: cutOff)
  }

  /// The body that has been arriving longest and may be cut off.
  private func slowest(
    in share: Share, besides id: ObjectIdentifier, for isTrusted: Bool, _ now: NIODeadline
  ) -> ObjectIdentifier? {
    entries.lazy.filter { other, entry in
      other != id && entry.isArriving && !entry.isTrusted && Self.share(entry.kind, entry.bytes) == share
        && (isTrusted || now >= entry.since + Self.honestTime)
    }.min { $0.value.since < $1.value.since }?.key
  }

  /// The body is complete: it is kept until ``release(_:)``.
  mutating func arrived(_ id: ObjectIdentifier) { entries[id]?.isArriving = false }

  mutating func release(_ id: ObjectIdentifier) {
    guard let entry = entries.removeValue(forKey: id) else { return }
    used[Self.share(entry.kind, entry.bytes), default: 0] -= entry.bytes
  }
}
