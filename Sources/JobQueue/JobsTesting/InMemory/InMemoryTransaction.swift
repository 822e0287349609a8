internal import Synchronization

/// The transaction of an ``InMemoryJobStore``; what is recorded in it appears in the store when it commits.
package final class InMemoryTransaction: Sendable {
  private let recorded = Mutex<[String]>([])

  init() {}

  /// - Parameter effect: a name of the test's choice.
  package func record(_ effect: String) { recorded.withLock { $0.append(effect) } }

  var effects: [String] { recorded.withLock { $0 } }
}
