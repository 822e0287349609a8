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
  func `what arms nothing is thrown, with the names there are`(_ text: String) throws {
    let misspelt = try #require(throws: Failpoint.InvalidFailpoint.self) { try Failpoint.arm(text) }
    #expect(misspelt.text == text)
    #expect(misspelt.description.contains("\"\(text)\""))
    for point in Failpoint.allCases { #expect(misspelt.description.contains(point.rawValue)) }
  }

  @Test(arguments: [
    "after-ingest-confirm=kill@0", "after-ingest-confirm=kill@-1", "after-ingest-confirm=stop@1000000000@2",
  ])
  func `a visit that never comes is a misspelling`(_ text: String) {
    #expect(throws: Failpoint.InvalidFailpoint.self) { try Failpoint.arm(text) }
  }

  @Test func `of several the one that is wrong is named`() throws {
    let text = "after-ingest-confirm=stop@1000000000,before-commti=kill"
    let misspelt = try #require(throws: Failpoint.InvalidFailpoint.self) { try Failpoint.arm(text) }
    #if FAILPOINTS
      #expect(misspelt.text == "before-commti=kill")
    #else
      #expect(misspelt.text == text)
    #endif
  }

  @Test func `an empty text arms nothing and is no mistake`() throws {
    try Failpoint.arm("")
  }

  @Test func `places that are not armed let everybody pass`() async {
    await #expect(processExitsWith: .success) {
      for point in Failpoint.allCases { point.visit() }
    }
  }

  #if FAILPOINTS
    @Test func `an armed place kills at its first visit`() async {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        try Failpoint.arm("before-commit=kill")
        Failpoint.beforeCommit.visit()
      }
    }

    @Test func `a count lets the visits before it pass`() async {
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
