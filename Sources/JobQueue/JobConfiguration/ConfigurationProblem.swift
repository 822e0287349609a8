/// A mistake in queues.yaml, with its place.
package struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// From 1; 0: the whole file.
  package let line: Int
  /// From 1; 0: the whole file.
  package let column: Int
  /// What is wrong, with the value.
  package let message: String

  /// `line:column: message`, or the message alone for the whole file.
  package var description: String { line > 0 ? "\(line):\(column): \(message)" : message }
}

/// Thrown with all problems of the file at once.
package struct InvalidConfiguration: Error, CustomStringConvertible {
  package let file: String
  /// In the file's order; those of the whole file come first.
  package let problems: [ConfigurationProblem]

  /// - Parameter problems: at least one, in any order.
  package init(file: String, problems: [ConfigurationProblem]) {
    self.file = file
    self.problems = problems.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
  }

  /// One line for each problem, `file:line:column: message`, as compilers write it.
  package var description: String { problems.map { "\(file):\($0)" }.joined(separator: "\n") }
}
