package import Hummingbird
package import JobOperations
internal import Jobs

/// The routes every process has: probes for the orchestrator, figures for Prometheus.
package struct ProbeRoutes: Sendable {
  private let registry: PrometheusRegistry
  private let monitor: any PlatformStatusSource
  private let notReadyReason: @Sendable () async -> String?

  /// - Parameter notReadyReason: nil while the process does its work; otherwise what is in the way, in words fit for
  ///   anyone.
  package init(
    registry: PrometheusRegistry, monitor: any PlatformStatusSource,
    notReadyReason: @escaping @Sendable () async -> String?
  ) {
    self.registry = registry
    self.monitor = monitor
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
    router.get("/metrics") { _, _ in
      let text = registry.exposition() + (await monitor.status().exposition())
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: .init(byteBuffer: .init(string: text)))
    }
  }
}
