/// How many jobs of a pool a node may have running or prefetched: enough that no worker waits for the broker, and no
/// more than their bytes allow. A calculation without I/O.
struct PrefetchLimit {
  /// Bodies held should not take more than this together. The broker counts messages only, so the limit is lowered
  /// where bodies are large.
  static let bytesTarget = 32 << 20
  /// Beyond this, over all pools of the process, deliveries are requeued. The broker delivers them again at once, so it
  /// must be rare: it takes a sudden change to much larger bodies to get here, and then the limit is lowered.
  static let bytesMax = 8 * bytesTarget
  /// The bodies of one batch, which are held, read and stored together.
  static let batchBytesMax = bytesTarget
  /// A single consumer gains nothing from more, as measured on quorum queues.
  static let countMax = 2_000

  /// Jobs of one worker: a batch, or one.
  let batchSize: Int
  /// The longest timeout of the pool's kinds.
  let timeout: Duration
  /// The limit that was last set.
  private(set) var current = 0
  private var localConcurrency = 0
  /// The size of the largest recent bodies, in bytes; it falls by a thousandth with each smaller one.
  private var largest = 1.0

  init(batchSize: Int, timeout: Duration = .seconds(30)) {
    self.batchSize = batchSize
    self.timeout = timeout
  }

  /// Returns the limit to set for this node's part of the pool's size.
  mutating func resize(to localConcurrency: Int) -> Int {
    self.localConcurrency = localConcurrency
    current = target
    return current
  }

  /// Jobs arrived; returns the limit to set where it should change. Setting it makes a new consumer, so it is changed
  /// only where it is off by a factor of two.
  mutating func arrived(sizes: some Sequence<Int>) -> Int? {
    for size in sizes { largest = max(Double(size), largest * 0.999, 1) }
    let target = target
    guard current > 0, target * 2 <= current || target >= current * 2 else { return nil }
    current = target
    return current
  }

  /// Deliveries of which so many were kept were refused because of their bytes; returns the limit to set.
  mutating func refused(keeping jobs: Int) -> Int {
    current = max(1, min(current, jobs))
    largest = max(largest, Double(Self.bytesTarget) / Double(current))
    return current
  }

  /// How many jobs are held for each one that runs: a second one is prefetched only where it can wait for the first
  /// one's whole attempt, and still have its own, before the broker takes it back.
  private var perWorker: Int { timeout * 2 < WorkerSlot.holdMax ? 2 : 1 }

  /// Twice what can run, or once, bounded by the bytes; at least one job.
  private var target: Int {
    guard localConcurrency > 0 else { return 0 }
    let byCount = min(Self.countMax, localConcurrency * batchSize * perWorker)
    return max(1, min(byCount, Int(Double(Self.bytesTarget) / largest)))
  }
}
