/// A dictionary with a limit: it keeps at least the `max / 2` entries written last, and never more than `max`.
struct RecentDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let generationMax: Int
  private var young: [Key: Value] = [:]
  private var old: [Key: Value] = [:]

  init(max: Int) { generationMax = Swift.max(1, max / 2) }

  subscript(key: Key) -> Value? {
    get { young[key] ?? old[key] }
    set {
      guard let value = newValue else {
        young[key] = nil
        old[key] = nil
        return
      }
      if young[key] == nil, young.count >= generationMax {
        old = young
        young = [:]
      }
      young[key] = value
    }
  }
}
