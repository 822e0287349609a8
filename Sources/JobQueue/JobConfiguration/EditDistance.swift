/// The candidate nearest to a text that is not among them; nil: none is near enough to be meant.
func nearest(to text: String, among candidates: some Sequence<String>) -> String? {
  let scored = candidates.map { (candidate: $0, distance: editDistance(text, $0)) }
  guard let best = scored.min(by: { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }) else { return nil }
  return best.distance <= max(1, text.count / 3) ? best.candidate : nil
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to turn one text into the
/// other.
private func editDistance(_ left: String, _ right: String) -> Int {
  let (left, right) = (Array(left.lowercased()), Array(right.lowercased()))
  var rows = [Array(0...right.count)]
  for i in 0..<left.count {
    var row = [i + 1]
    for j in 0..<right.count {
      var cost = min(rows[i][j] + (left[i] == right[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { cost = min(cost, rows[i - 1][j - 1] + 1) }
      row.append(cost)
    }
    rows.append(row)
  }
  return rows[left.count][right.count]
}
