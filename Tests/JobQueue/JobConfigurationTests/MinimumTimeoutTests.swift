import JobConfiguration
import Jobs
import Testing

/// The time that a worker needs at least, and the timeout that queues.yaml gives its pool.
struct MinimumTimeoutTests {
  private func worker(needing least: Duration) -> [KnownWorker] {
    [KnownWorker(kind: "mail.send", takesBatches: false, minimumTimeout: least)]
  }

  @Test(arguments: ["100ms", "19s", "19999ms"])
  func `a pool that gives less is named with its place, and with the kind that needs more`(_ timeout: String) {
    let found = problems(in: mailDocument("timeout: \(timeout)"), worker(needing: .seconds(20)))
    #expect(found == [#"6:11: pools.mail.timeout must be at least 20s for job kind "mail.send", not \#(timeout)"#])
  }

  @Test(arguments: ["20s", "20000ms", "21s", "25m"])
  func `a pool that gives as much, or more, is right`(_ timeout: String) {
    #expect(problems(in: mailDocument("timeout: \(timeout)"), worker(needing: .seconds(20))).isEmpty)
  }

  @Test func `a pool that says nothing is held to what it has then`() {
    let file = mailDocument()
    #expect(problems(in: file, worker(needing: .seconds(30))).isEmpty)
    let unsaid = #"6:11: pools.mail.timeout must be at least 31s for job kind "mail.send", not 30s"#
    #expect(problems(in: file, worker(needing: .seconds(31))) == [unsaid])
    let general = #"6:11: pools.mail.timeout must be at least 20s for job kind "mail.send", not 10s"#
    #expect(problems(in: file + "defaults: { timeout: 10s }\n", worker(needing: .seconds(20))) == [general])
  }

  @Test func `of two kinds in a pool only the one that needs more is named`() {
    let file = document("jobs: [mail.bounce, mail.send]", "workers: { max: 4 }", "timeout: 10s")
    let found = problems(in: file, worker(needing: .seconds(20)) + workers("mail.bounce"))
    #expect(found == [#"6:11: pools.mail.timeout must be at least 20s for job kind "mail.send", not 10s"#])
  }

  @Test func `a worker that names no least time is content with any`() {
    #expect(problems(in: mailDocument("timeout: 100ms"), workers("mail.send")).isEmpty)
  }
}
