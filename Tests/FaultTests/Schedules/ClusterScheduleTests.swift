import Testing

struct ClusterScheduleTests {
  @Test func `a seed gives the same schedule again, another seed another one`() {
    #expect(ClusterSchedule(seed: 7) == ClusterSchedule(seed: 7))
    #expect(Set((0..<50).map { (seed: UInt64) in "\(ClusterSchedule(seed: seed).steps)" }).count > 40)
  }

  @Test func `the usual runs have each fault of leaders and of followers`() {
    let steps = FaultRunOptions.usualClusterSeeds.flatMap { ClusterSchedule(seed: $0).steps }
    for fault in ClusterFault.allCases {
      #expect(steps.contains { $0.fault == fault && $0.distance == 0 }, "\(fault) of a leader")
      #expect(steps.contains { $0.fault == fault && $0.distance != 0 }, "\(fault) of a follower")
    }
  }
}
