import CoreMetrics
import HTTPTypes
import Hummingbird
import JobOperations
import Jobs
import TestServers
import Testing

@testable import HTTP

struct ProbeRoutesTests {
  private struct FixedStatus: PlatformStatusSource {
    func status() async -> PlatformStatus {
      var status = PlatformStatus()
      status.errors = ["the broker could not be asked"]
      return status
    }
  }

  private func router(
    _ registry: PrometheusRegistry = PrometheusRegistry(), reason: @escaping @Sendable () async -> String?
  ) -> Router<BasicRequestContext> {
    let router = Router(context: BasicRequestContext.self)
    ProbeRoutes(registry: registry, monitor: FixedStatus(), notReadyReason: reason).add(to: router)
    return router
  }

  @Test(arguments: ["/livez", "/readyz", "/startupz"])
  func `a ready process answers every probe with 200`(_ path: String) async throws {
    let answer = try await router { nil }.send(.get, path)
    #expect(answer.status == .ok)
    #expect(answer.body == "ok\n")
  }

  @Test(arguments: ["/readyz", "/startupz"])
  func `a process that is not ready answers 503 with the reason, and again 200 when it is`(_ path: String) async throws
  {
    let reason = Locked<String?>("RabbitMQ is unreachable")
    let router = router { reason.value }
    let answer = try await router.send(.get, path)
    #expect(answer.status == .serviceUnavailable)
    #expect(answer.body == "RabbitMQ is unreachable\n")
    reason.change { $0 = nil }
    #expect(try await router.send(.get, path).status == .ok)
  }

  @Test func `a process that is not ready is alive all the same`() async throws {
    #expect(try await router { "stopping" }.send(.get, "/livez").status == .ok)
  }

  @Test func `metrics are those of the process and the platform's status`() async throws {
    let registry = PrometheusRegistry()
    registry.makeCounter(label: "requests", dimensions: []).increment(by: 3)
    let answer = try await router(registry) { "stopping" }.send(.get, "/metrics")
    #expect(answer.status == .ok)
    #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(answer.body.contains("requests 3\n"))
    #expect(answer.body.contains("vluma_status_errors 1\n"))
  }
}
