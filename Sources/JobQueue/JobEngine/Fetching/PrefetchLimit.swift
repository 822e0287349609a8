/// How many jobs a node wants in hand of a pool: enough that no worker waits for the broker, and no more than their
/// bytes allow. A calculation without I/O.
struct PrefetchLimit {
  /// Bodies in hand should not take more than this together. The broker counts messages only, so it is kept by asking
  /// for fewer of them where they are large.
  static let bytesTarget = 32 << 20
  /// Beyond this, bodies are given back, as the last resort: the broker would hand them out again at once, so it must be
  /// rare. It takes a sudden change to much larger bodies to get here.
  static let bytesMax = 8 * bytesTarget
  /// Where a single consumer gains nothing from more, as measured on quorum queues.
  static let countMax = 2_000

  /// Jobs of one worker: a batch, or one.
  let batchSize: Int
  /// What the broker was last asked for.
  private(set) var current = 0
  private var share = 0
  /// The size of the largest bodies of late, in bytes; it sinks by a thousandth with each smaller one.
  private var largest = 1.0

  init(batchSize: Int) { self.batchSize = batchSize }

  /// The node's share of the pool's size; returns the capacity to ask for.
  mutating func resize(to share: Int) -> Int {
    self.share = share
    current = target
    return current
  }

  /// Jobs arrived; returns the capacity to ask for where it should change. Asking makes a new consumer, so it is done
  /// only where the capacity is off by a factor of two.
  mutating func arrived(sizes: some Sequence<Int>) -> Int? {
    for size in sizes { largest = max(Double(size), largest * 0.999, 1) }
    let target = target
    guard current > 0, target * 2 <= current || target >= current * 2 else { return nil }
    current = target
    return current
  }

  /// Twice what runs, in count; at least one job, in bytes.
  private var target: Int {
    guard share > 0 else { return 0 }
    let byCount = min(Self.countMax, share * batchSize * 2)
    return max(1, min(byCount, Int(Double(Self.bytesTarget) / largest)))
  }
}
