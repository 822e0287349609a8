internal import DequeModule

/// Connections in the order in which they were added.
struct ConnectionOrder {
  /// The number under which each connection stands in `order`.
  private var numbers: [ObjectIdentifier: Int] = [:]
  /// Entries whose number is not the connection's in `numbers` are out of date.
  private var order = Deque<(id: ObjectIdentifier, number: Int)>()
  private var lastNumber = 0

  var count: Int { numbers.count }

  /// Puts the connection at the end.
  mutating func add(_ id: ObjectIdentifier) {
    lastNumber += 1
    numbers[id] = lastNumber
    order.append((id, lastNumber))
    // Bounds `order`: each request on a connection leaves an entry that is out of date.
    if order.count > 64 + 2 * numbers.count { order.removeAll { numbers[$0.id] != $0.number } }
  }

  mutating func remove(_ id: ObjectIdentifier) { numbers[id] = nil }

  /// The connection that was added first; nil: there is none.
  mutating func oldest() -> ObjectIdentifier? {
    while let (id, number) = order.first {
      if numbers[id] == number { return id }
      order.removeFirst()
    }
    return nil
  }

  /// Removes the connection that was added first and returns it.
  mutating func removeOldest() -> ObjectIdentifier? {
    guard let id = oldest() else { return nil }
    numbers[id] = nil
    return id
  }
}
