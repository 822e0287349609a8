internal import Synchronization

/// A value behind a lock, shared by a test and what it observes.
package final class Locked<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  /// Starts with a value.
  package init(_ value: Value) { state = Mutex(value) }

  /// A copy of the value.
  package var value: Value { state.withLock { $0 } }

  /// Changes the value under the lock.
  @discardableResult
  package func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { state.withLock { body(&$0) } }
}
