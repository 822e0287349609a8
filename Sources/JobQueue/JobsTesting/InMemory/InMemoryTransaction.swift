internal import Synchronization

/// The transaction of an ``InMemoryJobStore``: what is recorded in it appears in the store when it commits, or never.
package final class InMemoryTransaction: Sendable {
  private let recorded = Mutex<[String]>([])

  init() {}

  /// Adds an effect under a name of the test's choice.
  package func record(_ effect: String) { recorded.withLock { $0.append(effect) } }

  /// What was recorded so far.
  var effects: [String] { recorded.withLock { $0 } }
}
