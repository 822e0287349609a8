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

  @Test func `a pool with jobs that nobody runs is named`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = [SnapshotFixture.node("one", ["booking.validate"])]
    #expect(fixture.report.isHealthy)
    fixture.broker.ready["booking.resolve"] = 7
    let finding = try fixture.finding()
    #expect(finding.message == "7 jobs wait for booking.resolve, which no live worker process runs")
    #expect(finding.commands == ["vluma work --pool booking.resolve"])
  }

  @Test func `dead letters that nobody indexes are named`() throws {
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
    // Its jobs are not left over: somebody does them.
    fixture.broker.ready["booking.old"] = 5
    fixture.overrides["booking.old"] = PoolSetting()
    let finding = try fixture.finding()
    #expect(finding.check == .nodes && finding.severity == .warning)
    #expect(finding.message == "booking.old, run by four, three, stands in no queues.yaml of this machine")
  }

  @Test func `a setting left of a pool that is gone is named, with the way to forget it`() throws {
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
  func `a size outside of the limits is named with the one that holds`(_ size: Int, _ holds: Int) throws {
    var fixture = SnapshotFixture()
    fixture.overrides["booking.resolve"] = PoolSetting(size: size)
    let finding = try fixture.finding()
    #expect(finding.message == "booking.resolve is set to \(size), and queues.yaml allows 1 to 32: \(holds) holds")
    #expect(finding.commands == ["vluma scale booking.resolve \(holds)"])
    fixture.overrides["booking.resolve"] = PoolSetting(size: holds)
    #expect(fixture.report.isHealthy)
  }

  @Test func `a paused pool is a warning only while jobs wait`() throws {
    var fixture = SnapshotFixture()
    fixture.nodes = [SnapshotFixture.node("one", ["booking.validate"])]
    fixture.overrides["booking.resolve"] = PoolSetting(isPaused: true)
    #expect(fixture.report.isHealthy)
    fixture.broker.ready["booking.resolve"] = 1
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

  // MARK: Standing still

  private let then = Date(timeIntervalSince1970: 1_790_000_100)

  /// Jobs wait, and nobody has one in hand.
  private func waiting(running: Int = 0) -> SnapshotFixture {
    var fixture = SnapshotFixture()
    fixture.broker.ready["booking.resolve"] = 9
    fixture.nodes = [SnapshotFixture.node("one", running: running, lastTaken: then), SnapshotFixture.node("two")]
    return fixture
  }

  @Test func `only a pool with jobs and nothing in hand is looked at again`() {
    #expect(waiting().snapshot.stalledPools == ["booking.resolve"])
    #expect(waiting(running: 1).snapshot.stalledPools.isEmpty)
    #expect(SnapshotFixture().snapshot.stalledPools.isEmpty)
    #expect(DoctorReport(waiting().snapshot).status(.flow) == .unknown)
  }

  @Test func `what still stands at the second probe is a problem`() throws {
    var snapshot = waiting().snapshot
    snapshot.secondProbe = SystemSnapshot.SecondProbe(
      ready: ["booking.resolve": 11],
      nodes: [SnapshotFixture.node("one", lastTaken: then), SnapshotFixture.node("two")])
    let finding = try #require(DoctorReport(snapshot).findings.first)
    #expect(finding.check == .flow && finding.severity == .problem)
    #expect(finding.message == "11 jobs wait in booking.resolve, where 4 could be in hand, and none is taken")
  }

  @Test func `what moved between the two looks flows`() {
    let fixture = waiting()
    let looks: [SystemSnapshot.SecondProbe] = [
      .init(ready: ["booking.resolve": 0], nodes: fixture.nodes),
      .init(
        ready: ["booking.resolve": 9],
        nodes: [SnapshotFixture.node("one", lastTaken: then + 1), SnapshotFixture.node("two")]),
      .init(
        ready: ["booking.resolve": 9],
        nodes: [SnapshotFixture.node("one", running: 1, lastTaken: then), SnapshotFixture.node("two")]),
      .init(ready: ["booking.resolve": 9], nodes: []),
    ]
    for look in looks {
      var snapshot = fixture.snapshot
      snapshot.secondProbe = look
      #expect(DoctorReport(snapshot).isHealthy, "\(look)")
    }
  }
}
