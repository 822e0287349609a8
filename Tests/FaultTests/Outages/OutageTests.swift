import Foundation
import Postgres
import Synchronization
import TestPlatform
import TestServers
import Testing

/// Servers are killed and restarted while customers book: the platform continues by itself, and loses nothing.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OutageTests {
  @Test func `RabbitMQ and then PostgreSQL are killed and started again under load`() async throws {
    try await PrivateServers.with { servers in
      var setup = Platform.Setup()
      setup.rabbitMQ = servers.rabbitMQ
      setup.postgres = servers.postgres
      try await Platform.with(setup) { platform in
        let (ingest, address) = try await platform.startIngest()
        let workers = [try await platform.startWorker(), try await platform.startWorker()]
        let load = BookingLoad(platform) { address }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for customer in 0..<4 { group.addTask { try await load.customer(customer) } }
          for server in ["rabbitmq", "postgres"] {
            try await load.waitForAnswers(more: 20)
            try await servers.run("kill", server)
            try await servers.run("start", server)
          }
          try await load.waitForAnswers(more: 20)
          load.stop()
          try await group.waitForAll()
        }
        try await platform.waitUntilIdle(within: .seconds(120))
        let (accepted, inDoubt) = load.result
        let reconciliation = try await BookingReconciliation.count(platform, accepted: accepted, inDoubt: inDoubt)
        print("outages: \(accepted.count) accepted, \(inDoubt.count) unanswered: \(reconciliation)")
        #expect(reconciliation.isClean, "\(reconciliation)")
        #expect(ingest.isRunning && workers.allSatisfy(\.isRunning))
        #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      }
    }
  }
}
