import Glibc
import Jobs
import Testing

struct FailpointTests {
  @Test(arguments: [
    "nonsense", "nonsense=kill", "job-fetched", "job-fetched=", "=kill", "job-fetched=explode", "job-fetched==kill",
    "job-fetched=@2",
    "job-fetched=kill@x", "job-fetched=kill@1.5", "JOB-TAKEN=kill", " job-fetched=kill", "jobFetched=kill",
    "job-fetched:kill",
  ])
  func `an invalid text is rejected with the list of failpoints`(_ text: String) throws {
    let invalid = try #require(throws: Failpoint.Invalid.self) { try Failpoint.arm(text) }
    #expect(invalid.text == text)
    #expect(invalid.description.contains("\"\(text)\""))
    for point in Failpoint.allCases { #expect(invalid.description.contains(point.rawValue)) }
  }

  @Test(arguments: [
    "after-ingest-confirm=kill@0", "after-ingest-confirm=kill@-1", "after-ingest-confirm=stop@1000000000@2",
  ])
  func `a visit count that is not a positive number is rejected`(_ text: String) {
    #expect(throws: Failpoint.Invalid.self) { try Failpoint.arm(text) }
  }

  @Test func `the invalid one of several is named`() throws {
    let text = "after-ingest-confirm=stop@1000000000,before-commti=kill"
    let invalid = try #require(throws: Failpoint.Invalid.self) { try Failpoint.arm(text) }
    #if FAILPOINTS
      #expect(invalid.text == "before-commti=kill")
    #else
      #expect(invalid.text == text)
    #endif
  }

  @Test func `an empty text arms nothing and is valid`() throws {
    try Failpoint.arm("")
  }

  @Test func `failpoints that are not armed do nothing`() async {
    await #expect(processExitsWith: .success) {
      for point in Failpoint.allCases { point.visit() }
    }
  }

  #if FAILPOINTS
    @Test func `an armed failpoint kills at its first visit`() async {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        try Failpoint.arm("before-commit=kill")
        Failpoint.beforeCommit.visit()
      }
    }

    @Test func `a failpoint with a count acts at that visit`() async {
      await #expect(processExitsWith: .success) {
        try Failpoint.arm("job-fetched=kill@3,before-commit=kill@2")
        Failpoint.jobFetched.visit()
        Failpoint.jobFetched.visit()
        Failpoint.beforeCommit.visit()
      }
      await #expect(processExitsWith: .signal(SIGKILL)) {
        try Failpoint.arm("job-fetched=kill@3,before-commit=kill@2")
        for _ in 0..<3 { Failpoint.jobFetched.visit() }
      }
    }
  #endif
}
