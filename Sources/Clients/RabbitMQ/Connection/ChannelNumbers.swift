/// The channel numbers of one connection that are in use.
///
/// The lowest free one is taken first, because librabbitmq keeps memory for every number it has seen: at least one
/// frame of the maximal size, 128 KB.
struct ChannelNumbers {
  private var used: Set<UInt16> = []

  /// The highest channel number, as negotiated at login (`channel_max`); RabbitMQ's default until then.
  var channelMax: UInt16 = 2_047

  /// A free number; nil where there is none.
  mutating func take() -> UInt16? {
    guard let number = (1...max(channelMax, 1)).first(where: { !used.contains($0) }) else { return nil }
    used.insert(number)
    return number
  }

  /// Called once both sides know that the channel is closed.
  mutating func release(_ number: UInt16) { used.remove(number) }
}
