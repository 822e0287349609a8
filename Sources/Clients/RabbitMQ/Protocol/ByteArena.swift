internal import CRabbitMQ

/// Several strings laid out in one buffer, so that one scoped pointer lends them all to C.
struct ByteArena {
  private var storage: [UInt8] = []

  /// Adds the text and returns its range.
  mutating func add(_ text: String) -> Range<Int> {
    let start = storage.count
    storage += text.utf8
    return start..<storage.count
  }

  /// Calls `body` with a function from ranges to pointers, valid during the call only.
  mutating func withPointers<Result>(_ body: ((Range<Int>) -> amqp_bytes_t) throws -> Result) rethrows -> Result {
    try storage.withUnsafeMutableBytes { buffer in
      try body { range in
        amqp_bytes_t(len: range.count, bytes: buffer.baseAddress.map { $0 + range.lowerBound })
      }
    }
  }
}
