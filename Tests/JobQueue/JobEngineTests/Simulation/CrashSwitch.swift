import ClientLoop
import Jobs
import Synchronization

/// Whether a node of a simulation has crashed. A crashed node reaches neither store nor broker any more.
final class CrashSwitch: Sendable {
  private let state = Mutex(false)

  var hasCrashed: Bool { state.withLock { $0 } }
  func crash() { state.withLock { $0 = true } }

  /// Sleeps for a short random time, in which the node may crash; throws where it has.
  func delayOrFail() async throws {
    var generator = TimeSource.generator
    try? await TimeSource.sleep(for: .microseconds(Int64.random(in: 0...3_000, using: &generator)))
    if hasCrashed { throw JobStoreError.unavailable("the node has crashed") }
  }
}
