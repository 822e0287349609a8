import Foundation
import Jobs
import Operations
import Testing

/// Worker processes, what operators have set, and whether jobs flow.
struct DiagnosisWorkerTests {
  @Test func `no worker process at all is a problem`() throws {
    var patient = Patient()
    patient.nodes = []
    let finding = try patient.finding()
    #expect(finding.check == .nodes && finding.severity == .problem)
    #expect(finding.commands == ["vluma work"])
  }

  @Test func `a pool with jobs that nobody runs is named`() throws {
    var patient = Patient()
    patient.nodes = [Patient.node("one", ["booking.validate"])]
    #expect(patient.diagnosis.isHealthy)
    patient.broker.ready["booking.resolve"] = 7
    let finding = try patient.finding()
    #expect(finding.sentence == "7 jobs wait for booking.resolve, which no live worker process runs")
    #expect(finding.commands == ["vluma work --pool booking.resolve"])
  }

  @Test func `dead letters that nobody indexes are named`() throws {
    var patient = Patient()
    patient.nodes = [Patient.node("one", ["booking.validate", "booking.resolve"])]
    patient.broker.letters = ["booking.validate": 1, "booking.resolve": 0]
    let finding = try patient.finding()
    #expect(finding.sentence == "1 dead letter waits for dead.letters, which no live worker process runs")
  }

  @Test func `nodes with another queues.yaml are named once for each set of pools`() throws {
    var patient = Patient()
    patient.nodes.append(Patient.node("three", ["booking.old", "booking.resolve"]))
    patient.nodes.append(Patient.node("four", ["booking.old"]))
    // Its jobs are not left over: somebody does them.
    patient.broker.ready["booking.old"] = 5
    patient.overrides["booking.old"] = PoolSetting()
    let finding = try patient.finding()
    #expect(finding.check == .nodes && finding.severity == .warning)
    #expect(finding.sentence == "booking.old, run by four, three, stands in no queues.yaml of this machine")
  }

  @Test func `a setting left of a pool that is gone is named, with the way to forget it`() throws {
    var patient = Patient()
    patient.overrides = ["booking.old": PoolSetting(size: 7, isPaused: true), "empty.old": PoolSetting()]
    let finding = try patient.finding()
    #expect(finding.check == .poolSettings && finding.severity == .warning)
    #expect(finding.sentence == "a setting is left of booking.old, which is not in queues.yaml: size 7, paused")
    #expect(finding.commands.count == 1)
    #expect(finding.commands.first?.contains("WHERE pool = 'booking.old'") == true)
  }

  @Test func `a name that is no pool's does not get into a statement`() throws {
    var patient = Patient()
    patient.overrides = ["x'; DROP TABLE y": PoolSetting(size: 7)]
    #expect(try patient.finding().commands.isEmpty)
  }

  @Test(arguments: [(40, 32), (0, 1)])
  func `a size outside of the limits is named with the one that holds`(_ size: Int, _ holds: Int) throws {
    var patient = Patient()
    patient.overrides["booking.resolve"] = PoolSetting(size: size)
    let finding = try patient.finding()
    #expect(finding.sentence == "booking.resolve is set to \(size), and queues.yaml allows 1 to 32: \(holds) holds")
    #expect(finding.commands == ["vluma scale booking.resolve \(holds)"])
    patient.overrides["booking.resolve"] = PoolSetting(size: holds)
    #expect(patient.diagnosis.isHealthy)
  }

  @Test func `a paused pool is a warning only while jobs wait`() throws {
    var patient = Patient()
    patient.nodes = [Patient.node("one", ["booking.validate"])]
    patient.overrides["booking.resolve"] = PoolSetting(isPaused: true)
    #expect(patient.diagnosis.isHealthy)
    patient.broker.ready["booking.resolve"] = 1
    let finding = try patient.finding()
    #expect(finding.sentence == "booking.resolve is paused, and 1 job waits")
    #expect(finding.commands == ["vluma resume booking.resolve"])
  }

  @Test func `a paused kind is a warning only while jobs of it wait`() throws {
    var patient = Patient()
    patient.overrides["booking.resolve"] = PoolSetting(pausedKinds: ["booking.cancel"])
    patient.remains.delayed = [.init(pool: "booking.resolve", kind: "booking.resolve", count: 3, late: 0)]
    #expect(patient.diagnosis.isHealthy)
    patient.remains.delayed.append(.init(pool: "booking.resolve", kind: "booking.cancel", count: 2, late: 0))
    let finding = try patient.finding()
    #expect(finding.sentence == "kind booking.cancel is paused in booking.resolve, and 2 jobs wait")
    #expect(finding.commands == ["vluma resume booking.resolve --kind booking.cancel"])
  }

  // MARK: Standing still

  private let then = Date(timeIntervalSince1970: 1_790_000_100)

  /// Jobs wait, and nobody has one in hand.
  private func waiting(inHand: Int = 0) -> Patient {
    var patient = Patient()
    patient.broker.ready["booking.resolve"] = 9
    patient.nodes = [Patient.node("one", inHand: inHand, lastTaken: then), Patient.node("two")]
    return patient
  }

  @Test func `only a pool with jobs and nothing in hand is looked at again`() {
    #expect(waiting().examination.standingStill == ["booking.resolve"])
    #expect(waiting(inHand: 1).examination.standingStill.isEmpty)
    #expect(Patient().examination.standingStill.isEmpty)
    #expect(Diagnosis(waiting().examination).verdict(.flow) == .unknown)
  }

  @Test func `what still stands at the second look is a problem`() throws {
    var examination = waiting().examination
    examination.secondLook = Examination.SecondLook(
      ready: ["booking.resolve": 11], nodes: [Patient.node("one", lastTaken: then), Patient.node("two")])
    let finding = try #require(Diagnosis(examination).findings.first)
    #expect(finding.check == .flow && finding.severity == .problem)
    #expect(finding.sentence == "11 jobs wait in booking.resolve, where 4 could be in hand, and none is taken")
  }

  @Test func `what moved between the two looks flows`() {
    let patient = waiting()
    let looks: [Examination.SecondLook] = [
      .init(ready: ["booking.resolve": 0], nodes: patient.nodes),
      .init(ready: ["booking.resolve": 9], nodes: [Patient.node("one", lastTaken: then + 1), Patient.node("two")]),
      .init(
        ready: ["booking.resolve": 9], nodes: [Patient.node("one", inHand: 1, lastTaken: then), Patient.node("two")]),
      .init(ready: ["booking.resolve": 9], nodes: []),
    ]
    for look in looks {
      var examination = patient.examination
      examination.secondLook = look
      #expect(Diagnosis(examination).isHealthy, "\(look)")
    }
  }
}
