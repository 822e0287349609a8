/// Which channel numbers of one connection are in use: none is given out twice before it was given back.
///
/// The lowest free one is given out, because librabbitmq keeps memory for every number it has ever seen: at least one
/// frame of the greatest size, 128 KB.
struct ChannelNumbers {
  private var used: Set<UInt16> = []

  /// The channelMax number, as negotiated at login (`channel_max`); RabbitMQ's default until then.
  var channelMax: UInt16 = 2_047

  /// A number that nobody uses; nil where there is none.
  mutating func take() -> UInt16? {
    guard let number = (1...max(channelMax, 1)).first(where: { !used.contains($0) }) else { return nil }
    used.insert(number)
    return number
  }

  /// Gives a number back, once both sides know that its channel is closed.
  mutating func release(_ number: UInt16) { used.remove(number) }
}
