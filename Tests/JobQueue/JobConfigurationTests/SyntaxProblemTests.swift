import Jobs
import Testing

@testable import JobConfiguration

/// Files that are no YAML, or not the shape of a configuration.
struct SyntaxProblemTests {
  private func problem(in yaml: String) throws -> ConfigurationProblem {
    let error = try #require(throws: InvalidConfiguration.self) { try JobConfiguration(yaml: yaml, workers: []) }
    try #require(error.problems.count == 1, "\(error)")
    return error.problems[0]
  }

  @Test(arguments: ["", "\n\n", "# only a comment\n"])
  func `an empty file is said to be empty`(_ yaml: String) throws {
    #expect(problems(in: yaml, []) == ["the file is empty"])
  }

  @Test func `a tab for indentation is no YAML, and its place is given`() throws {
    let found = try problem(in: "pools:\n\tmail: {}\n")
    #expect(found.message.hasPrefix("not YAML: "))
    #expect(found.line == 2)
    #expect(found.column == 1)
  }

  @Test(arguments: [
    "pools: [", "pools: { mail: ", "pools: 'mail", "pools: a: b", "version: 1\n  retry_tiers: [1s]", "pools: *nobody",
  ])
  func `text that is no YAML is one problem with a place`(_ yaml: String) throws {
    let found = try problem(in: yaml)
    #expect(found.message.hasPrefix("not YAML: "))
    #expect(found.line > 0 && found.column > 0)
  }

  @Test func `a control character is no YAML`() throws {
    #expect(try problem(in: "version: \u{1}\n").message.hasPrefix("not YAML"))
  }

  @Test func `a second document is one too many`() throws {
    let found = try problem(in: "version: 1\n---\nversion: 1\n")
    #expect(found.description == "2:1: not YAML: but found another document")
  }

  @Test func `a key that is written twice is named with its place`() throws {
    let found = try problem(in: mailDocument("workers: { max: 2 }"))
    #expect(found.message == #"written twice: "workers""#)
    #expect([7, 8].contains(found.line))
    #expect(found.column == 5)
  }

  @Test func `a pool that is written twice is named`() throws {
    let found = try problem(in: mailDocument() + "  mail: { jobs: [], workers: { max: 2 } }\n")
    #expect(found.message == #"written twice: "mail""#)
  }

  @Test(arguments: [
    BadLine("- version: 1", "1:1: the file must be a mapping (key: value), not a list"),
    BadLine("version", #"1:1: the file must be a mapping (key: value), not "version""#),
    BadLine("version: 1\npools: []", "2:8: pools must be a mapping (key: value), not a list"),
    BadLine("version: 1\npools: none", #"2:8: pools must be a mapping (key: value), not "none""#),
    BadLine("version: 1\npools: { mail: [] }", "2:16: pools.mail must be a mapping (key: value), not a list"),
    BadLine("version: 1\ndefaults: [30s]", "2:11: defaults must be a mapping (key: value), not a list"),
  ])
  func `a list or a word where a mapping is expected is named with its place`(_ bad: BadLine) {
    #expect(problems(in: bad.line, []).contains(bad.problem))
  }

  @Test(arguments: [
    BadLine("defaults: { queue: classic }", #"1:20: defaults.queue must be one of quorum, not "classic""#),
    BadLine("retires: [1s]", #"1:1: unknown key "retires" in the file"#),
    BadLine("pool: {}", #"1:1: unknown key "pool" in the file; did you mean "pools"?"#),
    BadLine("version: one", #"1:10: version must be a whole number from 1 to 1, not "one""#),
    BadLine(
      "defaults: { max_attempts: 1001 }",
      #"1:27: defaults.max_attempts must be a whole number from 1 to 1000, not "1001""#),
    BadLine("defaults: { backoff: { max: 100ms } }", "1:22: defaults.backoff.max (100ms) is shorter than base (1s)"),
  ])
  func `wrong lines outside of pools are named with their place`(_ bad: BadLine) {
    #expect(problems(in: bad.line, []).contains(bad.problem))
  }

  @Test func `a problem with a place begins with it, and one without is only its words`() {
    #expect(ConfigurationProblem(line: 3, column: 14, message: "wrong").description == "3:14: wrong")
    #expect(ConfigurationProblem(line: 0, column: 0, message: "wrong").description == "wrong")
  }
}
