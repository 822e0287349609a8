import Foundation
import JobOperations
import Jobs
import Testing

/// Worker processes, what operators have set, and whether jobs flow.
struct WorkerCheckTests {
  @Test func `no worker process at all is a problem`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = []
    let finding = try fixture.finding()
    #expect(finding.check == .nodes && finding.severity == .problem)
    #expect(finding.commands == ["vluma work"])
  }

  @Test func `a pool with jobs that no node runs is named`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = [SnapshotFixture.node("one", ["booking.validate"])]
    #expect(fixture.report.isHealthy)
    fixture.broker.queued["booking.resolve"] = 7
    let finding = try fixture.finding()
    #expect(finding.message == "7 jobs wait for booking.resolve, which no live worker process runs")
    #expect(finding.commands == ["vluma work --pool booking.resolve"])
  }

  @Test func `dead letters that no node indexes are named`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = [SnapshotFixture.node("one", ["booking.validate", "booking.resolve"])]
    fixture.broker.deadLetters = ["booking.validate": 1, "booking.resolve": 0]
    let finding = try fixture.finding()
    #expect(finding.message == "1 dead letter waits for dead.letters, which no live worker process runs")
  }

  @Test func `nodes with another queues.yaml are named once for each set of pools`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes.append(SnapshotFixture.node("three", ["booking.old", "booking.resolve"]))
    fixture.nodes.append(SnapshotFixture.node("four", ["booking.old"]))
    // Its jobs are not left over: a node runs the pool.
    fixture.broker.queued["booking.old"] = 5
    fixture.overrides["booking.old"] = PoolSetting()
    let finding = try fixture.finding()
    #expect(finding.check == .nodes && finding.severity == .warning)
    #expect(finding.message == "booking.old, run by four, three, is not in this machine's queues.yaml")
  }

  @Test func `a setting left of a pool that is gone is named, with the command that deletes it`() throws {
    var fixture = SnapshotFixture()
    fixture.overrides = ["booking.old": PoolSetting(size: 7, isPaused: true), "empty.old": PoolSetting()]
    let finding = try fixture.finding()
    #expect(finding.check == .poolSettings && finding.severity == .warning)
    #expect(finding.message == "a setting is left of booking.old, which is not in queues.yaml: size 7, paused")
    #expect(finding.commands.count == 1)
    #expect(finding.commands.first?.contains("WHERE pool = 'booking.old'") == true)
  }

  @Test func `a name that is no pool's does not get into a statement`() throws {
    var fixture = SnapshotFixture()
    fixture.overrides = ["x'; DROP TABLE y": PoolSetting(size: 7)]
    #expect(try fixture.finding().commands.isEmpty)
  }

  @Test(arguments: [(40, 32), (0, 1)])
  func `a size outside the limits is named with the one that is used`(_ size: Int, _ used: Int) throws {
    var fixture = SnapshotFixture()
    fixture.overrides["booking.resolve"] = PoolSetting(size: size)
    let finding = try fixture.finding()
    #expect(finding.message == "booking.resolve is set to \(size), and queues.yaml allows 1 to 32: \(used) is used")
    #expect(finding.commands == ["vluma scale booking.resolve \(used)"])
    fixture.overrides["booking.resolve"] = PoolSetting(size: used)
    #expect(fixture.report.isHealthy)
  }

  @Test func `a paused pool is a warning only while jobs wait`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = [SnapshotFixture.node("one", ["booking.validate"])]
    fixture.overrides["booking.resolve"] = PoolSetting(isPaused: true)
    #expect(fixture.report.isHealthy)
    fixture.broker.queued["booking.resolve"] = 1
    let finding = try fixture.finding()
    #expect(finding.message == "booking.resolve is paused, and 1 job waits")
    #expect(finding.commands == ["vluma resume booking.resolve"])
  }

  @Test func `a paused kind is a warning only while jobs of it wait`() throws {
    var fixture = SnapshotFixture()
    fixture.overrides["booking.resolve"] = PoolSetting(pausedKinds: ["booking.cancel"])
    fixture.backlog.scheduled = [.init(pool: "booking.resolve", kind: "booking.resolve", count: 3, overdue: 0)]
    #expect(fixture.report.isHealthy)
    fixture.backlog.scheduled.append(.init(pool: "booking.resolve", kind: "booking.cancel", count: 2, overdue: 0))
    let finding = try fixture.finding()
    #expect(finding.message == "kind booking.cancel is paused in booking.resolve, and 2 jobs wait")
    #expect(finding.commands == ["vluma resume booking.resolve --kind booking.cancel"])
  }

  // MARK: Stalled pools

  private let then = Date(timeIntervalSince1970: 1_790_000_100)

  /// Jobs wait, and none runs.
  private func waiting(running: Int = 0) -> SnapshotFixture {
    var fixture = SnapshotFixture()
    fixture.broker.queued["booking.resolve"] = 9
    fixture.nodes = [SnapshotFixture.node("one", running: running, lastFetched: then), SnapshotFixture.node("two")]
    return fixture
  }

  @Test func `only a pool with jobs of which none runs is probed again`() {
    #expect(waiting().snapshot.stalledPools == ["booking.resolve"])
    #expect(waiting(running: 1).snapshot.stalledPools.isEmpty)
    #expect(SnapshotFixture().snapshot.stalledPools.isEmpty)
    #expect(DoctorReport(waiting().snapshot).status(.flow) == .unknown)
  }

  @Test func `a pool that is still stalled at the second probe is a problem`() throws {
    var snapshot = waiting().snapshot
    snapshot.secondProbe = SystemSnapshot.SecondProbe(
      queued: ["booking.resolve": 11],
      nodes: [SnapshotFixture.node("one", lastFetched: then), SnapshotFixture.node("two")])
    let finding = try #require(DoctorReport(snapshot).findings.first)
    #expect(finding.check == .flow && finding.severity == .problem)
    #expect(finding.message == "11 jobs wait in booking.resolve, where 4 could run, and none does")
  }

  @Test func `a pool that fetched a job between the probes is not stalled`() {
    let fixture = waiting()
    let probes: [SystemSnapshot.SecondProbe] = [
      .init(queued: ["booking.resolve": 0], nodes: fixture.nodes),
      .init(
        queued: ["booking.resolve": 9],
        nodes: [SnapshotFixture.node("one", lastFetched: then + 1), SnapshotFixture.node("two")]),
      .init(
        queued: ["booking.resolve": 9],
        nodes: [SnapshotFixture.node("one", running: 1, lastFetched: then), SnapshotFixture.node("two")]),
      .init(queued: ["booking.resolve": 9], nodes: []),
    ]
    for probe in probes {
      var snapshot = fixture.snapshot
      snapshot.secondProbe = probe
      #expect(DoctorReport(snapshot).isHealthy, "\(probe)")
    }
  }
}
