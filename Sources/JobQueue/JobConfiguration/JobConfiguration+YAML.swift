internal import Jobs
internal import Yams

extension JobConfiguration {
  /// Reads and checks the file's text; throws all problems at once.
  package init(yaml: String, file: String = "queues.yaml", workers: [KnownWorker]) throws(InvalidConfiguration) {
    let root: Node?
    do { root = try Yams.compose(yaml: yaml) } catch {
      throw InvalidConfiguration(file: file, problems: [Self.syntaxProblem(error)])
    }
    guard let root else {
      throw InvalidConfiguration(file: file, problems: [.init(line: 0, column: 0, message: "the file is empty")])
    }
    var builder = ConfigurationBuilder()
    self = builder.build(root)
    builder.compare(self, with: workers, root)
    guard builder.reader.problems.isEmpty else {
      throw InvalidConfiguration(file: file, problems: builder.reader.problems)
    }
  }

  private static func syntaxProblem(_ error: any Error) -> ConfigurationProblem {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      ConfigurationProblem(line: mark.line, column: mark.column, message: "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      ConfigurationProblem(
        line: context.mark.line, column: context.mark.column,
        message: "written twice: \(keys.map { "\"\($0)\"" }.joined(separator: ", "))")
    default: ConfigurationProblem(line: 0, column: 0, message: "not YAML")
    }
  }
}
