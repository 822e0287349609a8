package import Hummingbird
package import JobOperations
internal import Jobs

/// The routes of every process: probes for the orchestrator, metrics for Prometheus.
package struct ProbeRoutes: Sendable {
  private let registry: PrometheusRegistry
  private let status: SharedStatus
  private let notReadyReason: @Sendable () async -> String?

  /// - Parameter notReadyReason: nil: the process is ready; otherwise the reason, without secrets: it is the answer of
  ///   `/readyz`.
  package init(
    registry: PrometheusRegistry, monitor source: any PlatformStatusSource,
    notReadyReason: @escaping @Sendable () async -> String?
  ) {
    self.registry = registry
    status = SharedStatus(source)
    self.notReadyReason = notReadyReason
  }

  /// Adds `/livez`, `/readyz`, `/startupz` and `/metrics`.
  package func add(to router: Router<some RequestContext>) {
    router.get("/livez") { _, _ in "ok\n" }
    for path in ["/readyz", "/startupz"] {
      router.get(RouterPath(path)) { _, _ in
        guard let reason = await notReadyReason() else {
          return Response(status: .ok, body: .init(byteBuffer: .init(string: "ok\n")))
        }
        return Response(status: .serviceUnavailable, body: .init(byteBuffer: .init(string: reason + "\n")))
      }
    }
    router.group().add(middleware: ProblemMiddleware()).get("/metrics") { _, _ in
      let text = try await status.exposition() + registry.exposition()
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: .init(byteBuffer: .init(string: text)))
    }
  }
}
