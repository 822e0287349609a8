import Foundation
import JobOperations
import Jobs
import Testing

/// What the doctor says of accepted jobs that are nowhere.
struct MissingCheckTests {
  private func missing(_ count: Int, of pool: PoolName, _ examples: [MissingJobs.Example] = []) -> MissingJobs {
    var missing = MissingJobs(pool: pool, count: count, since: Date(timeIntervalSince1970: 1_790_000_000))
    missing.examples = examples
    return missing
  }

  @Test func `missing jobs are named by pool, with since when, examples, and the command`() throws {
    var fixture = SnapshotFixture()
    let job = JobRun(id: JobID())
    fixture.gaps.missing = [missing(12, of: "booking.validate", [.init(jobRun: job, kind: "booking.validate")])]
    let finding = try fixture.finding()
    #expect(finding.check == .missingJobs && finding.severity == .problem)
    #expect(
      finding.message == "at least 12 jobs of booking.validate are missing since 2026-09-21T14:13:20Z: accepted, not "
        + "ended, and in no queue; most likely booking.validate \(job)")
    #expect(
      finding.commands == [
        "vluma missing --pool booking.validate", "vluma missing enqueue --pool booking.validate",
      ])
  }

  @Test func `each pool is a finding of its own`() {
    var fixture = SnapshotFixture()
    fixture.gaps.missing = [missing(1, of: "booking.validate"), missing(2, of: "old pool")]
    let findings = fixture.report.findings
    #expect(findings.count == 2)
    #expect(findings.first?.message.hasPrefix("at least 1 job of booking.validate is missing") == true)
    #expect(findings.last?.commands.last == "vluma missing enqueue --pool 'old pool'")
  }

  @Test func `without a recent look nothing is known`() {
    var fixture = SnapshotFixture()
    #expect(fixture.report.status(.missingJobs) == .ok)
    fixture.gaps.secondsSinceLook = 61
    #expect(fixture.report.status(.missingJobs) == .unknown)
    fixture.gaps.secondsSinceLook = nil
    #expect(fixture.report.status(.missingJobs) == .unknown)
    fixture.gaps.secondsSinceLook = 1
    fixture.gaps.unknown = "RabbitMQ did not answer"
    let line = fixture.report.checks.first { $0.check == .missingJobs }
    #expect(line?.status == .unknown)
    #expect(line?.note == "not known: RabbitMQ did not answer")
  }
}
