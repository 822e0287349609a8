import Foundation
import Postgres
import TestPlatform
import TestServers
import Testing

/// `vluma dead` with the real program.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DeadCommandTests {
  @Test func `dead letters are grouped, listed, shown without personal data, retried and archived`() async throws {
    var setup = Platform.Setup()
    setup.maxAttempts = 1
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      try await platform.breakCatalog()
      for index in 0..<3 { _ = try await platform.book(index, at: address) }
      try await eventually("three dead letters are open") {
        try await platform.queueStatus().pool(platform.validatePool).dead == 3
      }
      let (_, groups) = try await platform.command("dead", "groups")
      #expect(groups.contains("attempts_exhausted") && groups.contains(platform.validatePool))
      let (_, list) = try await platform.command("dead", "list", "--json")
      #expect(!list.contains("Maria") && !list.contains("98765"))
      let ids = list.matches(of: /"job_id" : "([0-9a-f-]+)"/).map { String($0.1) }
      #expect(ids.count == 3)
      #expect(list.contains("\"died_at\"") && list.contains("\"enqueued_at\""))
      let (_, shown) = try await platform.command("dead", "show", ids[0])
      #expect(shown.contains("DecodingError") && !shown.contains("Maria"))
      #expect(try await platform.command("dead", "show", ids[0], "--body").output.contains("Maria"))
      #expect(try await platform.command("dead", "retry").status == 2)
      #expect(try await platform.command("dead", "retry", "nonsense").status == 2)
      #expect(try await platform.command("dead", "archive", ids[0]).output == "1 archived\n")
      try await platform.loadCatalog()
      #expect(try await platform.command("dead", "retry", "--pool", platform.validatePool).status == 0)
      try await eventually("two bookings are confirmed") {
        try await platform.number("SELECT count(*) FROM bookings.booking WHERE status = 'confirmed'") == 2
      }
      #expect(try await platform.queueStatus().pool(platform.validatePool).dead == 0)
    }
  }
}
