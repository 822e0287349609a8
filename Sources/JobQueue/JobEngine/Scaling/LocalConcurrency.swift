/// How a pool's size is divided among nodes: evenly, and the first nodes in order of id take the remainder.
enum LocalConcurrency {
  /// The part of `node`; 0: it is not one of `nodes`.
  static func of(_ total: Int, node: String, among nodes: [String]) -> Int {
    let sorted = nodes.sorted()
    guard let index = sorted.firstIndex(of: node) else { return 0 }
    return total / sorted.count + (index < total % sorted.count ? 1 : 0)
  }
}
