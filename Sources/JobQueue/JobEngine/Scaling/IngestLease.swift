internal import ClientLoop
internal import Foundation
package import Jobs
package import Logging

/// Keeps an ingest process listed as a live node without pools, so that operators see what it has of its machine's
/// limits. While the store is unavailable it serves on, and is listed again afterwards.
package struct IngestLease: Sendable {
  private let node: String
  private let startedAt: Date
  private let directory: any PoolDirectory
  private let resources: @Sendable () -> NodeResources?
  private let outage: OutageLog

  /// Between two renewals: nothing waits for an ingest process' report.
  private static var interval: Duration { .seconds(5) }
  /// Outlasts a renewal that failed.
  private static var lease: Duration { .seconds(15) }
  private static var renewalTimeout: Duration { .seconds(4) }
  /// Of giving up the lease: it ends by itself where this fails.
  private static var releaseTimeout: Duration { .seconds(1) }

  /// - Parameter resources: what the process has of its machine's limits; it must not block.
  package init(
    node: String, directory: any PoolDirectory, resources: @escaping @Sendable () -> NodeResources?, logger: Logger
  ) {
    self.node = node
    self.directory = directory
    self.resources = resources
    startedAt = TimeSource.date
    outage = OutageLog(
      "this process cannot be listed: it serves, but vluma doctor does not see its limits", logger: logger)
  }

  /// Renews the lease until the task is cancelled, and then gives it up.
  package func run() async {
    while !Task.isCancelled {
      await renew()
      try? await TimeSource.sleep(for: Self.interval)
    }
    let (node, directory) = (node, directory)
    await TimeSource.withCancellationShield {
      try? await withDeadline(TimeSource.now + Self.releaseTimeout) { try await directory.releaseLease(node) }
    }
  }

  private func renew() async {
    let report = NodeReport(id: node, startedAt: startedAt, pools: [:], resources: resources())
    let directory = directory
    do {
      try await withDeadline(TimeSource.now + Self.renewalTimeout) {
        _ = try await directory.renewLease(report, lease: Self.lease)
      }
      outage.succeeded()
    } catch {
      if Task.isCancelled { return }
      outage.failed(error)
    }
  }
}
