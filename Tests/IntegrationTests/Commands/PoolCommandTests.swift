import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing

/// `vluma scale`, `pause` and `resume` with the real program.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct PoolCommandTests {
  @Test func `scale takes effect within a second, is shared out over nodes, persists and is audited`() async throws {
    try await Platform.with { platform in
      let pool = platform.validatePool
      let first = try await platform.startWorker()
      #expect(try await platform.command("scale", pool, "7").output == "\(pool): size 7\n")
      try await eventually(within: .seconds(3), "one node has the whole size") {
        try await platform.queueStatus().pool(pool).localConcurrency == 7
      }
      let second = try await platform.startWorker()
      try await eventually(within: .seconds(5), "two nodes split it") {
        let entry = try await platform.queueStatus().pool(pool)
        return entry.nodes == 2 && entry.localConcurrency == 7
      }
      first.send(SIGKILL)
      try await eventually(within: .seconds(15), "the part of a node that died goes to the other") {
        let entry = try await platform.queueStatus().pool(pool)
        return entry.nodes == 1 && entry.localConcurrency == 7
      }
      second.send(SIGTERM)
      #expect(try await second.ended() == 0)
      try await platform.startWorker()
      try await eventually(within: .seconds(5), "the size survived") {
        try await platform.queueStatus().pool(pool).localConcurrency == 7
      }
      let audit = try await platform.pool.query(
        "SELECT who, before, after, at > now() - interval '3 minutes' FROM jobs.audit WHERE target = \(pool)")
      #expect(audit.count == 1)
      #expect(try !audit[0].decode(0, as: String.self).isEmpty)
      #expect(try audit[0].decode(1, as: String.self) == "size from queues.yaml")
      #expect(try audit[0].decode(2, as: String.self) == "size 7")
      #expect(try audit[0].decode(3, as: Bool.self))
      #expect(try await platform.command("scale", pool, "0").status == 2)
      #expect(try await platform.command("scale", pool, "9").status == 2)
      #expect(try await platform.command("scale", "nowhere", "1").status == 2)
      #expect(try await platform.command("scale", pool, "many").status == 2)
    }
  }

  @Test func `a paused pool fetches nothing, and a resumed one goes on`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      #expect(try await platform.command("pause", platform.validatePool).status == 0)
      try await eventually("it is paused") {
        try await platform.queueStatus().pool(platform.validatePool).localConcurrency == 0
      }
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      try await eventually("the job is queued") {
        try await platform.queueStatus().pool(platform.validatePool).queued == 1
      }
      #expect(try await platform.status(of: booking) == nil)
      #expect(try await platform.command("resume", platform.validatePool).status == 0)
      try await platform.waitForBooking(booking, status: "confirmed")
    }
  }
}
