internal import Synchronization

/// A value behind a lock, shared by a check and the closures it hands out.
final class Locked<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  init(_ value: Value) { state = Mutex(value) }

  /// A copy of the value.
  var value: Value { state.withLock { $0 } }

  /// Changes the value under the lock.
  @discardableResult
  func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { state.withLock { body(&$0) } }
}
