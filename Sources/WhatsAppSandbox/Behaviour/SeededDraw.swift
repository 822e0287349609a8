/// The random choices of one request. Each number is a hash of its key and the message, so that it depends neither on
/// time nor on the order in which messages arrive.
struct SeededDraw: Sendable {
  let seed: UInt64
  /// Digits, or a user id.
  let recipient: String
  /// Distinguishes the message from others: its callback data, or the hash of its body.
  let subject: String
  /// How often the message was sent before.
  let attempts: Int

  /// A number in 0..<1.
  func unit(_ key: String) -> Double {
    // The upper 53 bits: as many as a Double holds exactly.
    Double(Hashing.number("\(seed)|\(recipient)|\(attempts)|\(key)|\(subject)") >> 11) * 0x1p-53
  }

  func duration(in range: ClosedRange<Duration>, _ key: String) -> Duration {
    range.lowerBound + (range.upperBound - range.lowerBound) * unit(key)
  }

  /// The behaviour of one of the faults, or ``SandboxBehaviour/accept``.
  func behaviour(among faults: [SandboxFault]) -> SandboxBehaviour {
    let number = unit("fault")
    var end = 0.0
    for fault in faults {
      end += fault.share
      if number < end { return fault.behaviour }
    }
    return .accept
  }
}
