import Testing

struct ClusterScheduleTests {
  @Test func `a seed draws the same again, and another one something else`() {
    #expect(ClusterSchedule(seed: 7) == ClusterSchedule(seed: 7))
    #expect(Set((0..<50).map { (seed: UInt64) in "\(ClusterSchedule(seed: seed).steps)" }).count > 40)
  }

  @Test func `the runs of every test have each fault, and hit leaders and followers with it`() {
    let steps = FaultRunOptions.usualClusterSeeds.flatMap { ClusterSchedule(seed: $0).steps }
    for fault in ClusterFault.allCases {
      #expect(steps.contains { $0.fault == fault && $0.distance == 0 }, "\(fault) of a leader")
      #expect(steps.contains { $0.fault == fault && $0.distance != 0 }, "\(fault) of a follower")
    }
  }
}
