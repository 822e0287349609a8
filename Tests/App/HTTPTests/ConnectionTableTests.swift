import Testing

@testable import HTTP

struct ConnectionTableTests {
  private final class Connection {}

  private let connections = (0..<4).map { _ in Connection() }
  private func id(_ index: Int) -> ObjectIdentifier { ObjectIdentifier(connections[index]) }

  @Test func `the connection that has been idle longest is removed first`() {
    var table = ConnectionTable()
    for index in 0..<3 { table.becameIdle(id(index)) }
    #expect(table.removeLongestIdle() == id(0))
    #expect(table.removeLongestIdle() == id(1))
    #expect(table.removeLongestIdle() == id(2))
    #expect(table.removeLongestIdle() == nil)
  }

  @Test func `a busy connection is not removed`() {
    var table = ConnectionTable()
    table.becameIdle(id(0))
    table.becameIdle(id(1))
    table.becameBusy(id(0))
    #expect(table.idleCount == 1)
    #expect(table.removeLongestIdle() == id(1))
    #expect(table.removeLongestIdle() == nil)
  }

  @Test func `a connection that was busy counts from the end of its last request`() {
    var table = ConnectionTable()
    for index in 0..<3 { table.becameIdle(id(index)) }
    table.becameBusy(id(0))
    table.becameIdle(id(0))
    #expect(table.idleCount == 3)
    #expect(table.removeLongestIdle() == id(1))
    #expect(table.removeLongestIdle() == id(2))
    #expect(table.removeLongestIdle() == id(0))
  }

  @Test func `a closed connection is forgotten`() {
    var table = ConnectionTable()
    table.becameIdle(id(0))
    table.becameIdle(id(1))
    table.remove(id(0))
    #expect(table.idleCount == 1)
    #expect(table.removeLongestIdle() == id(1))
    #expect(table.idleCount == 0)
  }

  @Test func `an empty table removes nothing`() {
    var table = ConnectionTable()
    table.becameBusy(id(0))
    table.remove(id(1))
    #expect(table.removeLongestIdle() == nil)
  }

  @Test func `the order survives many requests on one connection`() {
    var table = ConnectionTable()
    for index in 0..<3 { table.becameIdle(id(index)) }
    for _ in 0..<10_000 {
      table.becameBusy(id(1))
      table.becameIdle(id(1))
    }
    #expect(table.idleCount == 3)
    #expect(table.removeLongestIdle() == id(0))
    #expect(table.removeLongestIdle() == id(2))
    #expect(table.removeLongestIdle() == id(1))
    #expect(table.removeLongestIdle() == nil)
  }
}
