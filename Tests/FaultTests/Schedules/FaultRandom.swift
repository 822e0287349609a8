import TestServers

/// Random numbers that depend only on the seed, not on the standard library, so that a seed gives the same everywhere.
struct FaultRandom {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func roll(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int((random.next() >> 11) % UInt64(range.count))
  }

  /// True with this probability, in percent.
  mutating func percent(_ share: Int) -> Bool { roll(1...100) <= share }

  /// One of the values, which must not be empty.
  mutating func pick<Value>(_ values: [Value]) -> Value { values[roll(0...(values.count - 1))] }
}
