import Jobs
import TestServers
import Testing

struct LocalConcurrencyTests {
  @Test func `what is left over goes to the first nodes in order of id`() {
    let nodes = ["c", "a", "b"]
    #expect(LocalConcurrency.localConcurrency(of: 8, for: "a", among: nodes) == 3)
    #expect(LocalConcurrency.localConcurrency(of: 8, for: "b", among: nodes) == 3)
    #expect(LocalConcurrency.localConcurrency(of: 8, for: "c", among: nodes) == 2)
  }

  @Test func `one node has everything, and none where there is nothing`() {
    #expect(LocalConcurrency.localConcurrency(of: 64, for: "a", among: ["a"]) == 64)
    #expect(LocalConcurrency.localConcurrency(of: 0, for: "a", among: ["a", "b"]) == 0)
  }

  @Test func `where there are more nodes than jobs some have none`() {
    let nodes = ["a", "b", "c", "d"]
    #expect(nodes.map { LocalConcurrency.localConcurrency(of: 2, for: $0, among: nodes) } == [1, 1, 0, 0])
  }

  @Test func `a node that is not among them has no part`() {
    #expect(LocalConcurrency.localConcurrency(of: 8, for: "z", among: ["a", "b"]) == 0)
    #expect(LocalConcurrency.localConcurrency(of: 8, for: "a", among: []) == 0)
  }

  @Test(arguments: 1...50)
  func `the shares add up to the total and differ by one at most, in whatever order the nodes come`(_ seed: Int) throws
  {
    var random = SeededRandom(seed: UInt64(seed))
    let nodes = (0..<Int.random(in: 1...20, using: &random)).map {
      "node-\($0)-\(UInt64.random(in: 0...99, using: &random))"
    }
    let total = Int.random(in: 0...200, using: &random)
    let shares = nodes.map { LocalConcurrency.localConcurrency(of: total, for: $0, among: nodes) }
    #expect(shares.reduce(0, +) == total)
    let (least, most) = (try #require(shares.min()), try #require(shares.max()))
    #expect(most - least <= 1)
    let shuffled = nodes.shuffled(using: &random)
    #expect(nodes.map { LocalConcurrency.localConcurrency(of: total, for: $0, among: shuffled) } == shares)
  }
}
