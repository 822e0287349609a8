import JobOperations
import Jobs
import Testing

/// Whether live processes may open enough files and connections, and that ingest processes are no workers.
struct DescriptorCheckTests {
  private func fixture(_ resources: NodeResources?...) -> SnapshotFixture {
    var fixture = SnapshotFixture()
    for (index, some) in resources.enumerated() { fixture.nodes.append(SnapshotFixture.ingest("ingest\(index)", some)) }
    return fixture
  }

  @Test(arguments: [(921, nil), (922, "ingest0 has 922 files and connections open, and may have 1024")])
  func `more than nine tenths open is a finding`(_ open: Int, _ message: String?) throws {
    let report = fixture(NodeResources(openDescriptors: open, descriptorsMax: 1_024)).report
    #expect(report.findings.map(\.message) == (message.map { [$0] } ?? []))
    #expect(report.status(.descriptors) == (message == nil ? .ok : .warning))
    #expect(report.findings.allSatisfy { $0.advice.contains("LimitNOFILE=") && $0.advice.contains("ulimit -n") })
  }

  @Test func `a worker process may be the one`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes[1].resources?.openDescriptors = 65_000
    #expect(try fixture.finding().message == "two has 65000 files and connections open, and may have 65536")
  }

  @Test func `few places for clients are a finding for each limit, with their number`() throws {
    let low = NodeResources(openDescriptors: 30, descriptorsMax: 1_024, clientsMax: 624)
    let lower = NodeResources(openDescriptors: 30, descriptorsMax: 512, clientsMax: 112)
    let enough = NodeResources(openDescriptors: 30, descriptorsMax: 4_096, clientsMax: 3_696)
    let report = fixture(low, lower, low, enough).report
    #expect(
      report.findings.map(\.message) == [
        "ingest1 may have 512 files and connections open, which leaves places for 112 clients",
        "ingest0, ingest2 may have 1024 files and connections open each, which leaves places for 624 clients",
      ])
    #expect(report.findings.allSatisfy { $0.check == .descriptors && $0.severity == .warning })
    #expect(report.findings.allSatisfy { $0.advice.contains("LimitNOFILE=") && $0.advice.contains("ulimit -n") })
  }

  @Test func `a worker process needs no places for clients`() {
    var fixture = SnapshotFixture()
    fixture.nodes[0].resources?.descriptorsMax = 1_024
    #expect(fixture.report.isHealthy)
    #expect(
      fixture.report.checks.first { $0.check == .descriptors }?.note == "at most 4 % open in any of 2 live processes")
  }

  @Test func `what is not reported is unknown, and hides nothing`() throws {
    var fixture = fixture(nil, NodeResources(descriptorsMax: 8_192, clientsMax: 7_000))
    let line = { (report: DoctorReport) in report.checks.first { $0.check == .descriptors } }
    #expect(line(fixture.report)?.status == .unknown)
    #expect(line(fixture.report)?.note == "not known: 2 of 4 live processes do not report them")
    // The limit is known, and where so few may be open it is a finding.
    fixture.nodes[3].resources?.descriptorsMax = 1_024
    #expect(try fixture.finding().check == .descriptors)
    fixture.nodes = [SnapshotFixture.ingest("ingest", nil)]
    #expect(line(fixture.report)?.note == "not known: no live process reports them")
    fixture.nodes = []
    #expect(line(fixture.report)?.note == "not known: no live process")
  }

  @Test(arguments: [(Int.max, 1), (0, Int.max), (-1, 5), (5, 0), (5, -5), (Int.min, Int.min), (Int.max, Int.max)])
  func `absurd figures end no doctor`(_ open: Int, _ limit: Int) {
    let report = fixture(NodeResources(openDescriptors: open, descriptorsMax: limit)).report
    #expect(report.checks.map(\.check) == DoctorCheck.allCases)
  }

  @Test func `an ingest process is no worker`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = [SnapshotFixture.ingest("ingest", NodeResources(openDescriptors: 30, descriptorsMax: 65_536))]
    let finding = try fixture.finding()
    #expect(finding.message == "no worker process is alive: jobs wait")
    fixture.backlog.scheduled = [.init(pool: "booking.resolve", kind: "booking.resolve", count: 3, overdue: 3)]
    #expect(fixture.report.findings.first { $0.check == .scheduled }?.commands == ["vluma work"])
    fixture = SnapshotFixture()
    fixture.nodes.append(SnapshotFixture.ingest("ingest", NodeResources(openDescriptors: 1, descriptorsMax: 65_536)))
    #expect(fixture.report.isHealthy)
    #expect(fixture.report.checks.first { $0.check == .nodes }?.note == "2 alive")
  }
}
