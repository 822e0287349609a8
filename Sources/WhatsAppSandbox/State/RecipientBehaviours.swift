internal import Synchronization

/// The behaviours that tests have set for single recipients.
final class RecipientBehaviours: Sendable {
  private let lists = Mutex<[String: [SandboxBehaviour]]>([:])

  private static let recipientsMax = 100_000

  /// Sets the behaviours of the recipient's next requests, in order; the last one stays. False where too many
  /// recipients have behaviours already.
  func set(_ behaviours: [SandboxBehaviour], for recipient: String) -> Bool {
    lists.withLock { lists in
      guard lists.count < Self.recipientsMax || lists[recipient] != nil else { return false }
      lists[recipient] = behaviours
      return true
    }
  }

  func clear(_ recipient: String) { lists.withLock { $0[recipient] = nil } }

  /// The behaviour of the recipient's next request; nil: none is set.
  func next(for recipient: String) -> SandboxBehaviour? {
    lists.withLock { lists in
      guard let list = lists[recipient], let first = list.first else { return nil }
      if list.count > 1 { lists[recipient] = Array(list.dropFirst()) }
      return first
    }
  }
}
