import Foundation

/// Holds the threads of a test's server back until the test opens it; it never holds a test itself.
///
/// `@unchecked Sendable`: `condition` guards `isOpen`.
final class ThreadGate: @unchecked Sendable {
  private let condition = NSCondition()
  private var isOpen = false

  func open() {
    condition.lock()
    isOpen = true
    condition.broadcast()
    condition.unlock()
  }

  /// Blocks the calling thread, but no longer than any test may take.
  func wait() {
    let end = Date(timeIntervalSinceNow: 120)
    condition.lock()
    while !isOpen, condition.wait(until: end) {}
    condition.unlock()
  }
}
