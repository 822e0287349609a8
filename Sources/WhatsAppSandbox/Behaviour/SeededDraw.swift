/// The chances of one request. Each number comes from a hash of what is asked for and of the message itself, so it
/// depends neither on time nor on the order in which messages arrive.
struct SeededDraw: Sendable {
  let seed: UInt64
  /// Digits, or a user id.
  let recipient: String
  /// What tells the message from others: its callback data, or the hash of its body.
  let subject: String
  /// How often the message was tried before.
  let attempts: Int

  /// A number from 0 up to, not including, 1.
  func unit(_ what: String) -> Double {
    // The upper 53 bits: as many as a Double holds exactly.
    Double(Hashing.number("\(seed)|\(recipient)|\(attempts)|\(what)|\(subject)") >> 11) * 0x1p-53
  }

  /// A duration within the range.
  func duration(in range: ClosedRange<Duration>, _ what: String) -> Duration {
    range.lowerBound + (range.upperBound - range.lowerBound) * unit(what)
  }

  /// One of the faults, or that all goes well.
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
