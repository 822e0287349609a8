import TestServers

/// Draws that hang on the seed alone and not on how a standard library draws, so that a seed means the same everywhere.
struct FaultRandom {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A number of the range, each as likely as any other.
  mutating func roll(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int((random.next() >> 11) % UInt64(range.count))
  }

  /// True in so many cases of a hundred.
  mutating func percent(_ share: Int) -> Bool { roll(1...100) <= share }

  /// One of the values, of which there must be one at least.
  mutating func pick<Value>(_ values: [Value]) -> Value { values[roll(0...(values.count - 1))] }
}
