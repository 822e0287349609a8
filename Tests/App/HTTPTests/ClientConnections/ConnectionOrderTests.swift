import Testing

@testable import HTTP

struct ConnectionOrderTests {
  private final class Connection {}

  private let connections = (0..<4).map { _ in Connection() }
  private func id(_ index: Int) -> ObjectIdentifier { ObjectIdentifier(connections[index]) }

  @Test func `the connection that was added first is removed first`() {
    var order = ConnectionOrder()
    for index in 0..<3 { order.add(id(index)) }
    #expect(order.removeOldest() == id(0))
    #expect(order.removeOldest() == id(1))
    #expect(order.removeOldest() == id(2))
    #expect(order.removeOldest() == nil)
  }

  @Test func `a removed connection is skipped`() {
    var order = ConnectionOrder()
    order.add(id(0))
    order.add(id(1))
    order.remove(id(0))
    #expect(order.count == 1)
    #expect(order.removeOldest() == id(1))
    #expect(order.removeOldest() == nil)
  }

  @Test func `a connection that comes again stands at the end`() {
    var order = ConnectionOrder()
    for index in 0..<3 { order.add(id(index)) }
    order.remove(id(0))
    order.add(id(0))
    #expect(order.count == 3)
    #expect(order.removeOldest() == id(1))
    #expect(order.removeOldest() == id(2))
    #expect(order.removeOldest() == id(0))
  }

  @Test func `a closed connection is forgotten`() {
    var order = ConnectionOrder()
    order.add(id(0))
    order.add(id(1))
    order.remove(id(0))
    #expect(order.count == 1)
    #expect(order.removeOldest() == id(1))
    #expect(order.count == 0)
  }

  @Test func `an empty order removes nothing`() {
    var order = ConnectionOrder()
    order.remove(id(0))
    order.remove(id(1))
    #expect(order.removeOldest() == nil)
  }

  @Test func `the order survives many requests on one connection`() {
    var order = ConnectionOrder()
    for index in 0..<3 { order.add(id(index)) }
    for _ in 0..<10_000 {
      order.remove(id(1))
      order.add(id(1))
    }
    #expect(order.count == 3)
    #expect(order.removeOldest() == id(0))
    #expect(order.removeOldest() == id(2))
    #expect(order.removeOldest() == id(1))
    #expect(order.removeOldest() == nil)
  }
}
