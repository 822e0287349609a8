import Curl
import Foundation
import TestPlatform
import TestServers
import Testing

/// Probes and metrics of real processes.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ProbeTests {
  @Test func `probes and metrics show the platform's state`() async throws {
    try await Platform.with { platform in
      let worker = try await platform.startWorker()
      let address = try await worker.address()
      #expect(try await platform.request("GET", "\(address)/livez").status == 200)
      #expect(try await platform.request("GET", "\(address)/readyz").status == 200)
      let (_, ingest) = try await platform.startIngest()
      let booking = try #require(try await platform.book(0, at: ingest)?.booking)
      try await platform.waitForBooking(booking, status: "confirmed")
      let metrics = String(decoding: try await platform.request("GET", "\(address)/metrics").body, as: UTF8.self)
      let pool = platform.validatePool
      #expect(
        metrics.contains(
          "vluma_jobs_processed_total{pool=\"\(pool)\",kind=\"booking.validate\",outcome=\"completed\"} 1"))
      for name in ["vluma_jobs_queued", "vluma_jobs_running", "vluma_jobs_scheduled", "vluma_jobs_dead"] {
        #expect(metrics.contains("\(name){pool=\"\(pool)\"}"))
      }
      #expect(metrics.contains("vluma_job_attempt_duration_seconds_bucket"))
      #expect(!metrics.contains("Maria") && !metrics.contains("98765"))
      #expect(!worker.output.contains("Maria"))
    }
  }
}
