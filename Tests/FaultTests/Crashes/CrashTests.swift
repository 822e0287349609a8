import Curl
import Foundation
import Glibc
import Postgres
import TestPlatform
import TestServers
import Testing

/// Every row of the crash table (LifeOfAJob.md in the documentation of Jobs), on real servers: a process dies at that
/// point, others continue, and each effect happens once.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CrashTests {
  /// Books a slot while the only worker dies at `failpoint`; a second worker must complete the job.
  private func survives(_ failpoint: String, _ setup: Platform.Setup = .init()) async throws {
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      let victim = try await platform.startWorker(failpoints: "\(failpoint)=kill")
      let answer = try #require(try await platform.book(0, at: address))
      let booking = try #require(answer.booking)
      #expect(answer.status == 202)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
    }
  }

  @Test func `a worker dies with jobs fetched and not begun`() async throws { try await survives("job-fetched") }

  @Test func `a worker dies before the commit`() async throws { try await survives("before-commit") }

  @Test func `commit done, acknowledgement lost`() async throws { try await survives("before-acknowledge") }

  @Test func `crash between commit and publish: the relay publishes`() async throws {
    try await survives("after-commit")
  }

  @Test func `outbox row published and confirmed, not deleted`() async throws {
    try await survives("after-outbox-publish")
  }

  @Test func `commit in doubt: the connection is cut during COMMIT`() async throws {
    let proxy = try TestEnvironment.postgres().proxy()
    defer { proxy.stop() }
    var setup = Platform.Setup()
    setup.postgresProxy = proxy
    try await Platform.with(setup) { platform in
      // A constraint that is checked at commit, slowly, so that there is a COMMIT to cut.
      let connection = try await PostgresConnection.connect(platform.pool.configuration)
      try await connection.runScript(
        """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON bookings.booking DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION slow();
        """, deadline: .now + .seconds(10))
      let (_, address) = try await platform.startIngest()
      try await platform.startWorker()
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      try await eventually(within: .seconds(10), "a COMMIT is under way") {
        try await platform.number(
          "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query = 'COMMIT'"
        ) > 0
      }
      proxy.cutAll()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
      let attempts = try await platform.number("SELECT count(*) FROM jobs.receipt WHERE kind = 'booking.validate'")
      #expect(attempts == 1)
      await connection.close()
    }
  }

  /// Books while every attempt fails and the worker dies at `failpoint`; then the catalog is repaired.
  private func survivesFailing(_ failpoint: String, _ setup: Platform.Setup = .init()) async throws {
    try await Platform.with(setup) { platform in
      let (_, address) = try await platform.startIngest()
      try await platform.breakCatalog()
      let victim = try await platform.startWorker(failpoints: "\(failpoint)=kill")
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.loadCatalog()
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  @Test func `retry published and confirmed, original not acknowledged`() async throws {
    try await survivesFailing("after-retry-publish")
  }

  @Test func `a long delay is stored in PostgreSQL, original not acknowledged`() async throws {
    var setup = Platform.Setup()
    setup.tiers = "[1s]"
    setup.backoff = "{ base: 3s, factor: 1, max: 3s, jitter: none }"
    try await survivesFailing("after-retry-publish", setup)
  }

  @Test func `a scheduled job is due and its releaser dies before publishing it`() async throws {
    var setup = Platform.Setup()
    setup.tiers = "[1s]"
    setup.backoff = "{ base: 2s, factor: 1, max: 2s, jitter: none }"
    try await survivesFailing("after-scheduled-release", setup)
  }

  @Test func `snooze: scheduled, original not acknowledged`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      // The booking is cancelled before any worker has stored it.
      let booking = try #require(try await platform.book(0, at: address)?.booking)
      let victim = try await platform.startWorker(failpoints: "after-schedule=kill", pools: [platform.resolvePool])
      let response = try await platform.request("DELETE", "\(address)/v1/bookings/\(booking)")
      #expect(response.status == 202)
      #expect(try await victim.ended() == SIGKILL)
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "cancelled")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  @Test func `ingest dies between the broker's confirm and its answer`() async throws {
    try await Platform.with { platform in
      let (ingest, address) = try await platform.startIngest(failpoints: "after-ingest-confirm=kill")
      #expect(try await platform.book(0, at: address, key: "same") == nil)
      #expect(try await ingest.ended() == SIGKILL)
      let (_, again) = try await platform.startIngest()
      let booking = try #require(try await platform.book(0, at: again, key: "same")?.booking)
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  /// Books while a lock keeps the worker from finishing, so that the job is running during `body`; then unlocks.
  private func withRunningJob(_ platform: Platform, _ body: () async throws -> Void) async throws -> UUID {
    let (_, address) = try await platform.startIngest()
    let locker = try await PostgresConnection.connect(platform.pool.configuration)
    try await locker.run(["BEGIN", "LOCK TABLE bookings.booking IN ACCESS EXCLUSIVE MODE"])
    let booking = try #require(try await platform.book(0, at: address)?.booking)
    try await eventually(within: .seconds(10), "a worker waits for the lock") {
      try await platform.number(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
    }
    try await body()
    try await locker.run(["ROLLBACK"])
    await locker.close()
    return booking
  }

  @Test func `shutdown requeues jobs: neither an attempt nor a crash`() async throws {
    try await Platform.with { platform in
      let worker = try await platform.startWorker()
      let booking = try await withRunningJob(platform) { () async throws in
        let probe = "\(try await worker.address())/readyz"
        #expect(try await platform.request("GET", probe).status == 200)
        worker.send(SIGTERM)
        // Its running job delays the end, so that the probe can be asked meanwhile.
        try await eventually("the worker is not ready any more") {
          (try? await platform.request("GET", probe))?.status == 503
        }
        #expect(try await worker.ended() == 0)
      }
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      #expect(try await platform.number("SELECT count(*) FROM jobs.dead_letter") == 0)
      #expect(try await platform.number("SELECT count(*) FROM jobs.start_marker") == 0)
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  @Test func `a second signal stops a draining worker at once`() async throws {
    try await Platform.with { platform in
      let worker = try await platform.startWorker()
      let booking = try await withRunningJob(platform) { () async throws in
        worker.send(SIGTERM)
        try await eventually("the worker drains") { worker.output.contains("draining") }
        worker.send(SIGTERM)
        #expect(try await worker.ended(within: .seconds(5)) == 128 + SIGTERM)
      }
      try await platform.startWorker()
      try await platform.waitForBooking(booking, status: "confirmed")
      try await platform.waitUntilIdle()
      let reconciliation = try await BookingReconciliation.count(platform, accepted: [booking])
      #expect(reconciliation == BookingReconciliation(), "\(reconciliation)")
    }
  }

  @Test func `a job that kills its processes is dead after the set number of crashes`() async throws {
    try await Platform.with { platform in
      let (_, address) = try await platform.startIngest()
      _ = try #require(try await platform.book(0, at: address)?.booking)
      // The first crash is not counted: that process may only have prefetched the job.
      for _ in 0..<4 {
        let victim = try await platform.startWorker(failpoints: "before-commit=kill", pools: [platform.validatePool])
        #expect(try await victim.ended() == SIGKILL)
      }
      try await platform.startWorker(failpoints: "before-commit=kill")
      try await eventually("the job is dead") {
        try await platform.number("SELECT count(*) FROM jobs.dead_letter WHERE reason = 'crashed' AND state = 'open'")
          == 1
      }
    }
  }
}
