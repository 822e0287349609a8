internal import DequeModule

/// Which connections are idle, in the order in which they became idle.
struct ConnectionTable {
  /// The number under which each idle connection stands in `order`.
  private var idle: [ObjectIdentifier: Int] = [:]
  /// Entries whose number is not the connection's in `idle` are out of date.
  private var order = Deque<(id: ObjectIdentifier, number: Int)>()
  private var lastNumber = 0

  var idleCount: Int { idle.count }

  mutating func becameIdle(_ id: ObjectIdentifier) {
    lastNumber += 1
    idle[id] = lastNumber
    order.append((id, lastNumber))
    // Bounds `order`: each request on a connection leaves an entry that is out of date.
    if order.count > 64 + 2 * idle.count { order.removeAll { idle[$0.id] != $0.number } }
  }

  mutating func becameBusy(_ id: ObjectIdentifier) { idle[id] = nil }

  mutating func remove(_ id: ObjectIdentifier) { idle[id] = nil }

  /// Removes the connection that has been idle longest and returns it; nil: none is idle.
  mutating func removeLongestIdle() -> ObjectIdentifier? {
    while let (id, number) = order.popFirst() {
      if idle[id] == number {
        idle[id] = nil
        return id
      }
    }
    return nil
  }
}
