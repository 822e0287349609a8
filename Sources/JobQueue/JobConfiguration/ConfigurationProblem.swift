/// Something wrong with queues.yaml, and where.
package struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// From 1; 0 where the whole file is meant.
  package let line: Int
  /// From 1; 0 where the whole file is meant.
  package let column: Int
  /// What is wrong, with the value.
  package let message: String

  /// `line:column: message`, or the message alone where the whole file is meant.
  package var description: String { line > 0 ? "\(line):\(column): \(message)" : message }
}

/// Thrown with every problem of the file at once, in the file's order.
package struct InvalidConfiguration: Error, CustomStringConvertible {
  /// The file's name, for the messages.
  package let file: String
  /// Every problem there is, in the file's order; those of the whole file come first.
  package let problems: [ConfigurationProblem]

  /// Collects problems, at least one, and sorts them by line and column.
  package init(file: String, problems: [ConfigurationProblem]) {
    self.file = file
    self.problems = problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
  }

  /// One line for each problem, `file:line:column: message`, the way compilers write it.
  package var description: String { problems.map { "\(file):\($0)" }.joined(separator: "\n") }
}

/// The candidate nearest to what somebody wrote, where it is near enough to be meant.
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
