import Foundation
import JobConfiguration
import JobOperations
import Jobs
import Testing

/// The report as people and programs read it.
struct DoctorReportTextTests {
  /// A platform on which much is wrong.
  private var unhealthy: DoctorReport {
    var fixture = SnapshotFixture()
    fixture.settings.file = "/a/very/long/path/that/would/never/fit/into/one/line/of/a/terminal/queues.yaml"
    fixture.broker.queued["booking.of.the.old.days"] = 1_200
    fixture.broker.deadLetters["booking.of.the.old.days"] = 34
    fixture.broker.plan?.missing = (1...20).map { "queue booking.number\($0)" }
    fixture.broker.plan?.different = [
      .init(
        name: "queue booking.resolve",
        detail: "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'booking.resolve' in vhost '/': "
          + "received none but current is the value '5' of type 'signedint'")
    ]
    fixture.overrides["booking.of.the.old.days"] = PoolSetting(size: 3)
    fixture.backlog.dead = [
      .init(pool: "booking.resolve", kind: "booking.resolve", reason: .crashed, fingerprint: "1f", count: 2)
    ]
    var snapshot = fixture.snapshot
    snapshot.redis = .failed("cannot connect to Redis at 127.0.0.1:1: Connection refused")
    return DoctorReport(snapshot)
  }

  @Test func `it fits 80 columns, but for commands`() {
    for line in unhealthy.text(isColoured: false).split(separator: "\n") {
      let isCommand = line.hasPrefix("           ")
      #expect(isCommand || line.count <= 80, "\(line)")
    }
  }

  @Test func `every check has its line, and every command is whole`() {
    let report = unhealthy
    let lines = report.text(isColoured: false).split(separator: "\n", omittingEmptySubsequences: false)
    for (check, line) in zip(report.checks, lines) {
      #expect(line.hasPrefix(check.check.title), "\(line)")
      #expect(line.contains(check.status.rawValue), "\(line)")
    }
    for command in report.findings.flatMap(\.commands).flatMap({ $0.split(separator: "\n") }) {
      #expect(lines.contains { $0 == "           \(command)" }, "\(command)")
    }
  }

  @Test func `problems come first, and the last line counts`() {
    let report = unhealthy
    let severities = report.findings.map(\.severity)
    #expect(severities == [.problem, .problem, .problem, .warning, .warning, .warning])
    #expect(report.text(isColoured: false).hasSuffix("\n3 problems, 3 warnings."))
    #expect(SnapshotFixture().report.text(isColoured: false).hasSuffix("\nNothing is wrong."))
  }

  @Test func `what could not be seen is not called healthy`() {
    var fixture = SnapshotFixture()
    fixture.broker.unroutable = nil
    #expect(
      fixture.report.text(isColoured: false).hasSuffix(
        "\nNothing wrong was found, but not everything could be checked."))
  }

  @Test func `colours are for terminals`() {
    #expect(!unhealthy.text(isColoured: false).contains("\u{1B}"))
    let coloured = unhealthy.text(isColoured: true)
    for colour in [31, 32, 33] { #expect(coloured.contains("\u{1B}[\(colour)m")) }
    let plain = coloured.replacing(/\u{1B}\[[0-9]+m/, with: "")
    #expect(plain == unhealthy.text(isColoured: false))
  }

  private struct Document: Decodable {
    struct Line: Decodable {
      let check: String
      let status: String
    }
    struct Found: Decodable {
      let check: String
      let severity: String
      let message: String
      let commands: [String]
    }
    let is_healthy: Bool
    let checks: [Line]
    let findings: [Found]
  }

  @Test func `programs get checks, findings and commands by name`() throws {
    let document = try JSONDecoder().decode(Document.self, from: try JSONEncoder().encode(unhealthy))
    #expect(!document.is_healthy)
    #expect(document.checks.map(\.check) == DoctorCheck.allCases.map(\.rawValue))
    #expect(document.checks.first?.status == "ok")
    let removed = try #require(document.findings.first { $0.check == "removed_pools" })
    #expect(removed.severity == "problem")
    #expect(removed.message.contains("1200 jobs"))
    #expect(removed.commands.first == "vluma move booking.of.the.old.days")
  }
}
