internal import Synchronization

/// The bytes of all bodies that are running or prefetched in this process, over all pools.
final class HeldBytes: Sendable {
  private let total = Atomic(0)

  /// What a pool that holds `own` bytes may hold in all.
  func bytesMax(holding own: Int) -> Int {
    max(0, PrefetchLimit.bytesMax - total.load(ordering: .relaxed) + own)
  }

  func change(by bytes: Int) { if bytes != 0 { total.wrappingAdd(bytes, ordering: .relaxed) } }
}
