import Foundation
import TestServers
import Testing
import WhatsApp

/// A report of a message's way, with the second it speaks of.
private typealias Report = (status: DeliveryStatus, at: Date)

struct DeliveryStatusTests {
  /// Reads `delivered@2 failed@5`.
  private func reports(_ text: String) throws -> [Report] {
    try text.split(separator: " ").map { word -> Report in
      let parts = word.split(separator: "@")
      let status = try #require(DeliveryStatus(rawValue: String(parts[0])))
      let second = try #require(Double(parts[1]))
      return (status, Date(timeIntervalSince1970: second))
    }
  }

  @Test(
    arguments: zip(
      [
        "sent@1", "sent@1 delivered@2", "delivered@2 sent@1", "sent@9 delivered@2", "read@3", "sent@1 read@3",
        "read@3 delivered@2 delivered@2", "played@4", "played@4 read@3", "read@5 played@4", "failed@1",
        "sent@1 failed@2", "failed@1 sent@2", "delivered@1 failed@2", "failed@2 delivered@1", "failed@1 delivered@2",
        "failed@1 read@2", "read@1 failed@2", "delivered@1 failed@2 read@3", "failed@1 delivered@2 read@3",
        "failed@3 delivered@2 failed@1", "sent@1 failed@2 failed@3",
      ],
      [
        "sent", "delivered", "delivered", "delivered", "read", "read", "read", "played", "played", "played", "failed",
        "failed", "failed", "delivered", "delivered", "failed", "failed", "read", "read", "failed", "failed", "failed",
      ]))
  func `the furthest station counts, and a failure is the end unless it was delivered before`(
    _ said: String, _ status: String
  ) throws {
    let summary = DeliveryStatus.summary(of: try reports(said))
    #expect(summary?.rawValue == status)
  }

  @Test func `of nothing nothing is known`() {
    #expect(DeliveryStatus.summary(of: [Report]()) == nil)
  }

  @Test func `the statuses are the provider's words`() {
    #expect(DeliveryStatus.allCases.map(\.rawValue) == ["sent", "delivered", "read", "played", "failed"])
  }

  @Test func `neither order nor repeats change what up to three reports say`() {
    let all = everything
    for first in all.indices {
      for second in first..<all.count {
        for third in second..<all.count {
          check([all[first], all[second], all[third]])
        }
      }
    }
  }

  @Test func `neither order nor repeats change what many reports say`() {
    var random = SeededRandom(seed: 12)
    for _ in 0..<300 {
      let count = Int.random(in: 4...12, using: &random)
      let some = (0..<count).compactMap { _ in everything.randomElement(using: &random) }
      let expected = DeliveryStatus.summary(of: some)
      for _ in 0..<10 {
        let repeated = some + some.filter { _ in Bool.random(using: &random) }
        let isSame = DeliveryStatus.summary(of: repeated.shuffled(using: &random)) == expected
        #expect(isSame, "\(some)")
      }
    }
  }

  /// One report more never takes a message back on its way, but for a failure.
  @Test func `a message never goes back`() {
    let ranks: [DeliveryStatus: Int] = [.sent: 1, .delivered: 2, .read: 3, .played: 4]
    var random = SeededRandom(seed: 13)
    for _ in 0..<1_000 {
      var said: [Report] = []
      var rank = 0
      for _ in 0..<8 {
        guard let next = everything.filter({ $0.status != .failed }).randomElement(using: &random) else { continue }
        said.append(next)
        let now = DeliveryStatus.summary(of: said).flatMap { ranks[$0] } ?? 0
        #expect(now >= rank)
        rank = now
      }
    }
  }

  /// Every status at one of three seconds.
  private var everything: [Report] {
    DeliveryStatus.allCases.flatMap { status in
      (1...3).map { (status: status, at: Date(timeIntervalSince1970: Double($0))) }
    }
  }

  /// All orders of three reports, each also with repeats, say the same.
  private func check(_ three: [Report]) {
    let expected = DeliveryStatus.summary(of: three)
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      let said = order.map { three[$0] }
      let isSame = [said, said + said, [said[2]] + said].allSatisfy { DeliveryStatus.summary(of: $0) == expected }
      #expect(isSame, "\(said)")
    }
  }
}
