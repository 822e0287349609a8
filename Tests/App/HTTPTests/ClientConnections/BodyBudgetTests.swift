import NIOCore
import Testing

@testable import HTTP

struct BodyBudgetTests {
  private final class Connection {}

  private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
  private let connections = (0..<40).map { _ in Connection() }
  private func id(_ index: Int) -> ObjectIdentifier { ObjectIdentifier(connections[index]) }
  private func at(_ milliseconds: Int64) -> NIODeadline { Self.start + .milliseconds(milliseconds) }
  private let megabyte = 1 << 20

  private func budget(large: Int = 4 << 20, small: Int = 256 << 10) -> BodyBudget {
    BodyBudget(bytesMax: [.api: 128 << 10, .smallWebhooks: small, .largeWebhooks: large])
  }

  @Test func `what has arrived is charged and given back`() {
    var budget = budget()
    #expect(budget.charge(id(0), 1_000, .webhook, isTrusted: false, at(0)) == .granted(cutOff: []))
    #expect(budget.charge(id(1), 500, .api, isTrusted: false, at(0)) == .granted(cutOff: []))
    #expect(budget.bytes(.smallWebhooks) == 1_000)
    #expect(budget.bytes(.api) == 500)
    budget.release(id(0))
    budget.release(id(0))
    budget.release(id(1))
    #expect(BodyBudget.Share.allCases.allSatisfy { budget.bytes($0) == 0 })
  }

  @Test func `a body that grows beyond 64 KiB moves to the share of large ones as a whole`() {
    var budget = budget()
    _ = budget.charge(id(0), 64 << 10, .webhook, isTrusted: false, at(0))
    #expect(budget.bytes(.smallWebhooks) == 64 << 10)
    _ = budget.charge(id(0), 1, .webhook, isTrusted: false, at(0))
    #expect(budget.bytes(.smallWebhooks) == 0)
    #expect(budget.bytes(.largeWebhooks) == 64 << 10 + 1)
    budget.release(id(0))
    #expect(budget.bytes(.largeWebhooks) == 0)
  }

  @Test func `large bodies that stay do not take the place of small ones`() {
    var budget = budget()
    for index in 0..<4 { _ = budget.charge(id(index), megabyte, .webhook, isTrusted: false, at(0)) }
    for index in 0..<4 { budget.arrived(id(index)) }
    #expect(budget.charge(id(5), megabyte, .webhook, isTrusted: true, at(60_000)) == .refused)
    #expect(budget.charge(id(6), 64 << 10, .webhook, isTrusted: false, at(0)) == .granted(cutOff: []))
    #expect(budget.charge(id(7), 64 << 10, .api, isTrusted: false, at(0)) == .granted(cutOff: []))
  }

  @Test func `the body that has been arriving longest makes room, once it has had a second`() {
    var budget = budget()
    for index in 0..<4 { _ = budget.charge(id(index), megabyte, .webhook, isTrusted: false, at(Int64(index))) }
    #expect(budget.charge(id(9), megabyte, .webhook, isTrusted: false, at(900)) == .refused)
    #expect(budget.charge(id(9), megabyte, .webhook, isTrusted: false, at(1_000)) == .granted(cutOff: [id(0)]))
    #expect(budget.bytes(.largeWebhooks) == 4 * megabyte)
    // Its own bytes do not count twice, and it is gone already.
    budget.release(id(0))
    #expect(budget.bytes(.largeWebhooks) == 4 * megabyte)
  }

  @Test func `a client that has signed before needs not wait for that second, and is not cut off`() {
    var budget = budget()
    _ = budget.charge(id(0), megabyte, .webhook, isTrusted: true, at(0))
    for index in 1..<4 { _ = budget.charge(id(index), megabyte, .webhook, isTrusted: false, at(Int64(index))) }
    #expect(budget.charge(id(9), megabyte, .webhook, isTrusted: true, at(4)) == .granted(cutOff: [id(1)]))
    #expect(
      budget.charge(id(10), 2 * megabyte, .webhook, isTrusted: false, at(5_000)) == .granted(cutOff: [id(2), id(3)]))
    #expect(budget.charge(id(11), 3 * megabyte, .webhook, isTrusted: false, at(5_500)) == .refused)
  }

  @Test func `a body is never cut off for its own bytes`() {
    var budget = budget(large: 2 << 20)
    #expect(budget.charge(id(0), megabyte, .webhook, isTrusted: false, at(0)) == .granted(cutOff: []))
    #expect(budget.charge(id(0), megabyte, .webhook, isTrusted: false, at(5_000)) == .granted(cutOff: []))
    #expect(budget.charge(id(0), megabyte, .webhook, isTrusted: false, at(9_000)) == .refused)
  }
}
