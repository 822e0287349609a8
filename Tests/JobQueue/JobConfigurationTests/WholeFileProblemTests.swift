import JobConfiguration
import Jobs
import Testing

/// Problems of the file as a whole, and of its parts with each other.
struct WholeFileProblemTests {
  @Test func `all problems are reported at once, in the file's order`() throws {
    let file = """
      version: 2
      retry_tiers: [1s, soon, 500ms]
      defaults: { timout: 5s }
      pools:
        Mail:
          jobs: [mail.send]
          workers: { min: 4, start: 2, max: 1 }
          timeout: 5
      """
    let error = try #require(throws: InvalidConfiguration.self) {
      try JobConfiguration(yaml: file, file: "etc/queues.yaml", workers: workers("mail.send", "mail.bounce"))
    }
    #expect(
      error.description == """
        etc/queues.yaml:job kind "mail.bounce" has a worker and is in no pool: add it to a pool's jobs
        etc/queues.yaml:1:1: the pool dead.letters is missing: it indexes the dead letters
        etc/queues.yaml:1:10: version must be a whole number from 1 to 1, not "2"
        etc/queues.yaml:2:19: a retry tier must be a duration such as 200ms, 30s, 2m or 1h, not "soon"
        etc/queues.yaml:2:25: retry_tiers must grow: 500ms stands behind 1s
        etc/queues.yaml:3:13: unknown key "timout" in defaults; did you mean "timeout"?
        etc/queues.yaml:5:3: a pool's name is made of lower-case words with dots, such as booking.validate, not "Mail"
        etc/queues.yaml:7:14: pools.Mail.workers must have min <= start <= max, not 4, 2, 1
        etc/queues.yaml:8:14: pools.Mail.timeout must be a duration such as 200ms, 30s, 2m or 1h, not "5"
        """)
  }

  @Test func `what must be there is missed`() {
    let found = Set(problems(in: "# nothing but this\n\ndefaults: {}\n", []))
    let missing: Set = [
      "3:1: version is missing; write version: 1", "3:1: retry_tiers needs at least one duration",
      "3:1: pools is missing",
      "3:1: the pool dead.letters is missing: it indexes the dead letters",
    ]
    #expect(found == missing)
  }

  @Test func `a pool needs jobs and workers`() {
    #expect(
      problems(in: document("workers: { max: 4 }"), []) == ["5:3: pools.mail.jobs is missing; write jobs: [kind, ...]"])
    let noWorkers = "5:3: pools.mail.workers is missing; write workers: { min: 1, start: 4, max: 64 }"
    #expect(problems(in: document("jobs: [mail.send]")) == [noWorkers])
  }

  @Test func `jobs must be a list of words`() {
    let scalar = document("jobs: mail.send", "workers: { max: 4 }")
    #expect(problems(in: scalar, []) == [#"6:11: pools.mail.jobs must be a list, not "mail.send""#])
    let nested = document("jobs: [[mail.send]]", "workers: { max: 4 }")
    #expect(problems(in: nested, []) == ["6:12: a job kind in pools.mail.jobs must be a word"])
    let empty = document(#"jobs: [""]"#, "workers: { max: 4 }")
    #expect(problems(in: empty, []) == ["6:12: a job kind in pools.mail.jobs must be a word"])
  }

  @Test func `a kind without a worker is named, with the kind that was meant`() {
    let found = problems(
      in: document("jobs: [mail.send, mail.bonce]", "workers: { max: 4 }"), workers("mail.send", "mail.bounce"))
    let expected = [
      #"job kind "mail.bounce" has a worker and is in no pool: add it to a pool's jobs"#,
      #"6:23: job kind "mail.bonce" has no worker; did you mean "mail.bounce"?"#,
    ]
    #expect(found == expected)
  }

  @Test func `workers without a pool are named in the order they were registered`() {
    let kinds = (0..<12).map { JobKind(rawValue: "kind.\($0)") }
    let found = problems(
      in: mailDocument(), workers("mail.send") + kinds.map { KnownWorker(kind: $0, takesBatches: false) })
    #expect(found == kinds.map { #"job kind "\#($0)" has a worker and is in no pool: add it to a pool's jobs"# })
  }

  @Test func `two workers for one kind are reported`() {
    let found = problems(in: mailDocument(), workers("mail.send", "mail.send"))
    #expect(found == [#"job kind "mail.send" has 2 workers"#])
  }

  @Test func `a kind in two pools is reported at the second`() {
    let other = "post: { jobs: [mail.send], workers: { max: 4 } }"
    let found = problems(in: mailDocument() + "  \(other)\n")
    #expect(found == [#"9:18: job kind "mail.send" is in two pools: mail and post"#])
  }

  @Test func `a kind that stands twice in one pool is not said to be in two`() throws {
    let found = problems(in: document("jobs: [mail.send, mail.send]", "workers: { max: 4 }"))
    try #require(found.count == 1)
    #expect(found[0].hasPrefix("6:23: "))
    #expect(!found[0].contains("mail and mail"))
  }

  @Test func `a batch without a worker that takes batches has no effect`() {
    let found = problems(in: mailDocument("batch: { size: 10 }"), workers("mail.send"))
    #expect(found == ["8:12: pools.mail.batch has no effect: none of its workers takes batches"])
  }

  @Test func `a batch has its effect where one of the workers takes batches`() {
    let file = document("jobs: [mail.send, mail.bounce]", "workers: { max: 4 }", "batch: { size: 10 }")
    #expect(problems(in: file, batchWorkers("mail.send") + workers("mail.bounce")).isEmpty)
  }

  @Test func `the dead letters' pool takes no jobs, and the problem has a place`() throws {
    let file = """
      version: 1
      retry_tiers: [1s]
      pools:
        dead.letters: { jobs: [mail.send], workers: { max: 4 } }
      """
    let error = try #require(throws: InvalidConfiguration.self) {
      try JobConfiguration(yaml: file, workers: workers("mail.send"))
    }
    #expect(error.problems.map(\.message) == ["the pool dead.letters takes no jobs of its own: write jobs: []"])
    #expect(error.problems.map(\.line) == [4])
  }

  @Test(arguments: ["vluma.mail", "vluma.unroutable", "mail.dead", "dead.letters.dead"])
  func `names of the platform's own queues are kept for them`(_ name: String) {
    let found = problems(in: document(pool: name, "jobs: [mail.send]", "workers: { max: 4 }"))
    #expect(found == [#"5:3: "\#(name)" is a name the platform keeps for its own queues"#])
  }

  @Test(arguments: [
    "Mail", "1mail", "mail-send", "mail..send", ".mail", "mail.", "mail send", "correio_é", "mail/send",
  ])
  func `names that are no lower-case words with dots are refused`(_ name: String) {
    let found = problems(in: document(pool: name, "jobs: [mail.send]", "workers: { max: 4 }"))
    let problem = "5:3: a pool's name is made of lower-case words with dots, such as booking.validate, not \"\(name)\""
    #expect(found == [problem])
  }

  @Test func `a name of 100 characters is the longest`() {
    let lines = ["jobs: [mail.send]", "workers: { max: 4 }"]
    #expect(problems(in: document(pool: String(repeating: "a", count: 100), lines[0], lines[1])).isEmpty)
    #expect(problems(in: document(pool: String(repeating: "a", count: 101), lines[0], lines[1])).count == 1)
  }
}
