internal import Synchronization

/// A value behind a lock, shared by a test and what it observes.
public final class Locked<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  /// Starts with a value.
  public init(_ value: Value) { state = Mutex(value) }

  /// A copy of the value.
  public var value: Value { state.withLock { $0 } }

  /// Changes the value under the lock.
  @discardableResult
  public func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { state.withLock { body(&$0) } }
}
