import JobConfiguration
import Jobs
import Testing

/// A line that something is wrong with, and what is said about it.
struct BadLine: Sendable, CustomTestStringConvertible {
  let line: String
  let problem: String

  init(_ line: String, _ problem: String) {
    self.line = line
    self.problem = problem
  }

  var testDescription: String { line }
}

extension BadLine {
  private static let duration = "must be a duration such as 200ms, 30s, 2m or 1h"

  /// In line 8 of a pool called mail.
  static let inPool = [
    BadLine("timeout: 30", #"8:14: pools.mail.timeout \#(duration), not "30""#),
    BadLine("timeout: soon", #"8:14: pools.mail.timeout \#(duration), not "soon""#),
    BadLine("timeout: [1s]", "8:14: pools.mail.timeout \(duration), not a list"),
    BadLine("timeout: { s: 1 }", "8:14: pools.mail.timeout \(duration), not a mapping"),
    BadLine("timeout:", "8:13: pools.mail.timeout \(duration), not empty"),
    BadLine("timeout: 0s", "8:14: pools.mail.timeout must lie between 100ms and 25m, not 0s"),
    BadLine(
      "timeout: 26m",
      "8:14: pools.mail.timeout must lie between 100ms and 25m, not 26m: RabbitMQ takes a job back that is held for 30 "
        + "minutes (consumer_timeout)"),
    BadLine("timeouts: 5s", #"8:15: pools.mail.timeouts must be a mapping (key: value), not "5s""#),
    BadLine(
      "timeouts: { mail.send: 26m }",
      "8:28: pools.mail.timeouts.mail.send must lie between 100ms and 25m, not 26m: RabbitMQ takes a job back that is "
        + "held for 30 minutes (consumer_timeout)"),
    BadLine(
      "timeouts: { mail.sent: 5s }",
      #"8:17: unknown key "mail.sent" in pools.mail.timeouts; did you mean "mail.send"?"#),
    BadLine("max_attempts: 0", #"8:19: pools.mail.max_attempts must be a whole number from 1 to 1000, not "0""#),
    BadLine("max_attempts: 2.5", #"8:19: pools.mail.max_attempts must be a whole number from 1 to 1000, not "2.5""#),
    BadLine(#"max_attempts: "3""#, #"8:19: pools.mail.max_attempts must be a whole number from 1 to 1000, not "3""#),
    BadLine("max_attempts: [3]", "8:19: pools.mail.max_attempts must be a whole number from 1 to 1000, not a list"),
    BadLine("max_crashes: 101", #"8:18: pools.mail.max_crashes must be a whole number from 2 to 100, not "101""#),
    BadLine("tiemout: 30s", #"8:5: unknown key "tiemout" in pools.mail; did you mean "timeout"?"#),
    BadLine("color: red", #"8:5: unknown key "color" in pools.mail"#),
    BadLine("backoff: 3", #"8:14: pools.mail.backoff must be a mapping (key: value), not "3""#),
    BadLine("backoff: [1s]", "8:14: pools.mail.backoff must be a mapping (key: value), not a list"),
    BadLine(
      "backoff: { base: 1s, jiter: full }",
      #"8:26: unknown key "jiter" in pools.mail.backoff; did you mean "jitter"?"#),
    BadLine(
      "backoff: { jitter: fall }",
      #"8:24: pools.mail.backoff.jitter must be one of full, none, not "fall"; did you mean "full"?"#),
    BadLine(
      "backoff: { factor: 0.5 }", #"8:24: pools.mail.backoff.factor must be a number from 1.0 to 1000.0, not "0.5""#),
    BadLine(
      "backoff: { factor: .inf }", #"8:24: pools.mail.backoff.factor must be a number from 1.0 to 1000.0, not ".inf""#),
    BadLine(
      "backoff: { factor: .nan }", #"8:24: pools.mail.backoff.factor must be a number from 1.0 to 1000.0, not ".nan""#),
    BadLine("backoff: { base: 20m }", "8:14: pools.mail.backoff.max (10m) is shorter than base (20m)"),
    BadLine("backoff: { base: 5s, max: 2s }", "8:14: pools.mail.backoff.max (2s) is shorter than base (5s)"),
    BadLine("backoff: { max: 31d }", "8:21: pools.mail.backoff.max must lie between 1ms and 30d, not 31d"),
    BadLine("batch: { size: 0 }", #"8:20: pools.mail.batch.size must be a whole number from 1 to 1000, not "0""#),
    BadLine("batch: { size: 1001 }", #"8:20: pools.mail.batch.size must be a whole number from 1 to 1000, not "1001""#),
    BadLine("batch: { wait: 11s }", "8:20: pools.mail.batch.wait must lie between 0ms and 10s, not 11s"),
    BadLine("batch: { sizes: 5 }", #"8:14: unknown key "sizes" in pools.mail.batch; did you mean "size"?"#),
    BadLine("batch: 100", #"8:12: pools.mail.batch must be a mapping (key: value), not "100""#),
  ]

  /// In line 7 of a pool called mail.
  static let workers = [
    BadLine(
      "workers: { min: 5, start: 2, max: 4 }", "7:14: pools.mail.workers must have min <= start <= max, not 5, 2, 4"),
    BadLine(
      "workers: { min: 1, start: 5, max: 4 }", "7:14: pools.mail.workers must have min <= start <= max, not 1, 5, 4"),
    BadLine("workers: { max: 0 }", #"7:21: pools.mail.workers.max must be a whole number from 1 to 10000, not "0""#),
    BadLine("workers: { min: -1 }", #"7:21: pools.mail.workers.min must be a whole number from 0 to 10000, not "-1""#),
    BadLine(
      "workers: { start: few }", #"7:23: pools.mail.workers.start must be a whole number from 0 to 10000, not "few""#),
    BadLine("workers: { strat: 4 }", #"7:16: unknown key "strat" in pools.mail.workers; did you mean "start"?"#),
    BadLine("workers: 4", #"7:14: pools.mail.workers must be a mapping (key: value), not "4""#),
    BadLine("workers: [1, 2, 4]", "7:14: pools.mail.workers must be a mapping (key: value), not a list"),
  ]

  /// In line 2 of the file.
  static let tiers = [
    BadLine("[5s, 5s]", "2:19: retry_tiers must grow: 5s stands behind 5s"),
    BadLine("[5s, 30s, 1s]", "2:24: retry_tiers must grow: 1s stands behind 30s"),
    BadLine("[10ms]", "2:15: a retry tier must lie between 100ms and 1d, not 10ms"),
    BadLine("[1s, 2d]", "2:19: a retry tier must lie between 100ms and 1d, not 2d"),
    BadLine("[1s, 5]", #"2:19: a retry tier must be a duration such as 200ms, 30s, 2m or 1h, not "5""#),
    BadLine("[]", "2:14: retry_tiers needs at least one duration"),
    BadLine("5s", #"2:14: retry_tiers must be a list, not "5s""#),
  ]
}

struct ProblemTests {
  @Test(arguments: BadLine.inPool)
  func `a wrong line of a pool is named with its place`(_ bad: BadLine) {
    #expect(problems(in: mailDocument(bad.line)) == [bad.problem])
  }

  @Test(arguments: BadLine.workers)
  func `a wrong number of workers is named with its place`(_ bad: BadLine) {
    #expect(problems(in: document("jobs: [mail.send]", bad.line)) == [bad.problem])
  }

  @Test(arguments: BadLine.tiers)
  func `a wrong list of tiers is named with its place`(_ bad: BadLine) {
    let file = document(tiers: bad.line, "jobs: [mail.send]", "workers: { min: 1 }")
    #expect(problems(in: file) == [bad.problem])
  }
}
