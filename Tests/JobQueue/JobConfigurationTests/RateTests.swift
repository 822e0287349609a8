import JobConfiguration
import Jobs
import Testing

/// How fast a pool's jobs may begin, as queues.yaml says it.
struct RateTests {
  private func rate(_ line: String) throws -> RateLimit? {
    let configuration = try JobConfiguration(yaml: mailDocument(line), workers: workers("mail.send"))
    return try #require(configuration.pool("mail")).rate
  }

  @Test(
    arguments: zip(
      ["80/s", "600/m", "1/h", "1/s", "9999999/s", #""80/s""#, "'600/m'", "07/m"],
      [
        RateLimit(count: 80, per: .seconds(1)), RateLimit(count: 600, per: .seconds(60)),
        RateLimit(count: 1, per: .seconds(3_600)), RateLimit(count: 1, per: .seconds(1)),
        RateLimit(count: 9_999_999, per: .seconds(1)), RateLimit(count: 80, per: .seconds(1)),
        RateLimit(count: 600, per: .seconds(60)), RateLimit(count: 7, per: .seconds(60)),
      ]))
  func `a rate is a number of jobs in a second, a minute or an hour`(_ text: String, _ limit: RateLimit) throws {
    #expect(try rate("rate: \(text)") == limit)
  }

  @Test func `a pool that says nothing of its rate has none`() throws {
    #expect(try rate("") == nil)
  }

  private static let form = "must be a number of jobs per s, m or h, such as 80/s"

  /// In line 8 of a pool called mail.
  private static let wrong = [
    BadLine("rate: 80", #"8:11: pools.mail.rate \#(form), not "80""#),
    BadLine("rate: 80/", #"8:11: pools.mail.rate \#(form), not "80/""#),
    BadLine("rate: /s", #"8:11: pools.mail.rate \#(form), not "/s""#),
    BadLine("rate: s/80", #"8:11: pools.mail.rate \#(form), not "s/80""#),
    BadLine("rate: 0/s", #"8:11: pools.mail.rate \#(form), not "0/s""#),
    BadLine("rate: 000/s", #"8:11: pools.mail.rate \#(form), not "000/s""#),
    BadLine("rate: -1/s", #"8:11: pools.mail.rate \#(form), not "-1/s""#),
    BadLine("rate: +1/s", #"8:11: pools.mail.rate \#(form), not "+1/s""#),
    BadLine("rate: 1.5/s", #"8:11: pools.mail.rate \#(form), not "1.5/s""#),
    BadLine("rate: 80/d", #"8:11: pools.mail.rate \#(form), not "80/d""#),
    BadLine("rate: 80/S", #"8:11: pools.mail.rate \#(form), not "80/S""#),
    BadLine("rate: 80/sec", #"8:11: pools.mail.rate \#(form), not "80/sec""#),
    BadLine("rate: 80/1s", #"8:11: pools.mail.rate \#(form), not "80/1s""#),
    BadLine("rate: 80 /s", #"8:11: pools.mail.rate \#(form), not "80 /s""#),
    BadLine("rate: 80/ s", #"8:11: pools.mail.rate \#(form), not "80/ s""#),
    BadLine("rate: 80000000/s", #"8:11: pools.mail.rate \#(form), not "80000000/s""#),
    BadLine("rate: 99999999999999999999/s", #"8:11: pools.mail.rate \#(form), not "99999999999999999999/s""#),
    BadLine("rate: fast", #"8:11: pools.mail.rate \#(form), not "fast""#),
    BadLine("rate: true", #"8:11: pools.mail.rate \#(form), not "true""#),
    BadLine("rate: [80/s]", "8:11: pools.mail.rate \(form), not a list"),
    BadLine("rate: { s: 80 }", "8:11: pools.mail.rate \(form), not a mapping"),
    BadLine("rate:", "8:10: pools.mail.rate \(form), not empty"),
    BadLine("rat: 80/s", #"8:5: unknown key "rat" in pools.mail; did you mean "rate"?"#),
  ]

  @Test(arguments: RateTests.wrong)
  func `a wrong rate is named with its place`(_ bad: BadLine) {
    #expect(problems(in: mailDocument(bad.line), workers("mail.send")) == [bad.problem])
  }

  @Test func `a rate cannot stand beside a batch`() {
    let lines = ["jobs: [mail.send]", "workers: { max: 4 }", "batch: { size: 10 }"]
    let beside = "9:11: pools.mail.rate cannot stand beside batch: a batch begins as one"
    #expect(problems(in: document(lines[0], lines[1], lines[2], "rate: 80/s")) == [beside])
    #expect(problems(in: document(lines[0], lines[1], "rate: 80/s", lines[2])) == ["8\(beside.dropFirst())"])
    let both = problems(in: document(lines[0], lines[1], lines[2], "rate: 80"))
    #expect(Set(both) == [beside, #"9:11: pools.mail.rate \#(Self.form), not "80""#])
  }

  @Test func `a rate is a pool's own, and no default`() {
    let file = """
      version: 1
      retry_tiers: [1s]
      defaults: { rate: 80/s }
      pools:
        dead.letters: { jobs: [], workers: { max: 4 } }
      """
    #expect(problems(in: file, []) == [#"3:13: unknown key "rate" in defaults"#])
  }
}
