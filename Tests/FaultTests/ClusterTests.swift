import Foundation
import TestPlatform
import TestServers
import Testing

/// Three RabbitMQ nodes of which one dies, or is cut off: the other two have the majority of every queue, and bookings
/// go on.
@Suite(.serialized, .timeLimit(.minutes(12)))
struct ClusterTests {
  /// Hits the node that leads the queue of bookings, and then one that follows; each time bookings go on without it,
  /// and it comes back.
  private func survives(_ fault: String, thenBy cure: String) async throws {
    try await PrivateCluster.with { (cluster) async throws in
      var setup = Platform.Setup()
      setup.rabbitMQ = cluster.rabbitMQ
      try await Platform.with(setup) { (platform) async throws in
        let (ingest, address) = try await platform.startIngest()
        let workers = [try await platform.startWorker(), try await platform.startWorker()]
        let load = Load(platform, pause: .milliseconds(100)) { address }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for customer in 0..<4 { group.addTask { try await load.customer(customer) } }
          for distance in [0, 1, 0] {
            try await load.waitForAnswers(more: 20)
            let leader = try await cluster.leader(of: platform.validatePool)
            let node = (leader - 1 + distance) % 3 + 1
            try await cluster.run(fault, "\(node)")
            let start = ContinuousClock.now
            try await load.waitForAnswers(more: 20)
            print("cluster: \(fault) node \(node) of leader \(leader): 20 bookings in \(ContinuousClock.now - start)")
            try await cluster.run(cure, "\(node)")
            try await cluster.waitUntilWhole()
          }
          try await load.waitForAnswers(more: 20)
          load.stop()
          try await group.waitForAll()
        }
        try await platform.waitUntilQuiet(within: .seconds(120))
        let (accepted, unanswered) = load.result
        let accounting = try await Accounting.count(platform, accepted: accepted, unanswered: unanswered)
        print("cluster, \(fault): \(accepted.count) accepted, \(unanswered) unanswered: \(accounting)")
        #expect(accounting.isClean, "\(accounting)")
        #expect(ingest.isRunning && workers.allSatisfy(\.isRunning))
        let dead = try await platform.deadLetters()
        #expect(dead.isEmpty)
      }
    }
  }

  @Test func `a node is killed and started again, the leader of the queues too, and bookings go on`() async throws {
    try await survives("kill", thenBy: "start")
  }

  @Test func `a node is cut off and let back, the leader of the queues too, and bookings go on`() async throws {
    try await survives("partition", thenBy: "heal")
  }
}
