import TestServers
import Testing

@testable import JobEngine

struct LocalConcurrencyTests {
  @Test func `the remainder goes to the first nodes in order of id`() {
    let nodes = ["c", "a", "b"]
    #expect(LocalConcurrency.of(8, node: "a", among: nodes) == 3)
    #expect(LocalConcurrency.of(8, node: "b", among: nodes) == 3)
    #expect(LocalConcurrency.of(8, node: "c", among: nodes) == 2)
  }

  @Test func `one node has the whole size, and no node has a part of a pool of size 0`() {
    #expect(LocalConcurrency.of(64, node: "a", among: ["a"]) == 64)
    #expect(LocalConcurrency.of(0, node: "a", among: ["a", "b"]) == 0)
  }

  @Test func `with more nodes than jobs some nodes have none`() {
    let nodes = ["a", "b", "c", "d"]
    #expect(nodes.map { LocalConcurrency.of(2, node: $0, among: nodes) } == [1, 1, 0, 0])
  }

  @Test func `a node that is not live has no part`() {
    #expect(LocalConcurrency.of(8, node: "z", among: ["a", "b"]) == 0)
    #expect(LocalConcurrency.of(8, node: "a", among: []) == 0)
  }

  @Test(arguments: 1...50)
  func `the parts add up to the total and differ by one at most, in any order of the nodes`(_ seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let nodes = (0..<Int.random(in: 1...20, using: &random)).map {
      "node-\($0)-\(UInt64.random(in: 0...99, using: &random))"
    }
    let total = Int.random(in: 0...200, using: &random)
    let parts = nodes.map { LocalConcurrency.of(total, node: $0, among: nodes) }
    #expect(parts.reduce(0, +) == total)
    let (least, most) = (try #require(parts.min()), try #require(parts.max()))
    #expect(most - least <= 1)
    let shuffled = nodes.shuffled(using: &random)
    #expect(nodes.map { LocalConcurrency.of(total, node: $0, among: shuffled) } == parts)
  }
}
