package import Foundation

extension UUID {
  /// A random UUIDv4 (RFC 9562, section 5.4) from the system's random number generator.
  ///
  /// Foundation's parameterless initialiser opens a file for its randomness: in a process without a free file
  /// descriptor it returns the same value each time, without an error. getrandom(2), which Swift's generator calls,
  /// needs no descriptor.
  package static func version4() -> UUID {
    var generator = SystemRandomNumberGenerator()
    return UUID.random(using: &generator)
  }

  /// A UUIDv7: 48 bits of Unix milliseconds, then randomness.
  package static func version7(at date: Date) -> UUID {
    var bytes = version4().uuid
    let milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1000))
    bytes.0 = UInt8(truncatingIfNeeded: milliseconds >> 40)
    bytes.1 = UInt8(truncatingIfNeeded: milliseconds >> 32)
    bytes.2 = UInt8(truncatingIfNeeded: milliseconds >> 24)
    bytes.3 = UInt8(truncatingIfNeeded: milliseconds >> 16)
    bytes.4 = UInt8(truncatingIfNeeded: milliseconds >> 8)
    bytes.5 = UInt8(truncatingIfNeeded: milliseconds)
    bytes.6 = bytes.6 & 0x0f | 0x70
    bytes.8 = bytes.8 & 0x3f | 0x80
    return UUID(uuid: bytes)
  }
}
