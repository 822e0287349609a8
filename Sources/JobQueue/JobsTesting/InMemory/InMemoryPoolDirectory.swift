internal import ClientLoop
internal import Foundation
package import Jobs
internal import Synchronization

/// A pool directory in memory.
package final class InMemoryPoolDirectory: PoolDirectory {
  private struct State {
    var settings: [PoolName: PoolSetting] = [:]
    var nodes: [String: (report: NodeReport, leaseUntil: Date)] = [:]
    var audit: [AuditEntry] = []
    var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    var nextWatcher = 0
    var isAvailable = true
    var clockOffset: TimeInterval = 0

    var now: Date { TimeSource.date.addingTimeInterval(clockOffset) }

    func notify() { for watcher in watchers.sorted(by: { $0.key < $1.key }) { watcher.value.yield() } }

    func overview() throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
      guard isAvailable else { throw JobStoreError.unavailable("made unavailable by the test") }
      let now = self.now
      let live = nodes.values.filter { $0.leaseUntil > now }.map(\.report)
      return (settings, live.sorted { $0.id < $1.id })
    }
  }
  private let state = Mutex(State())

  package struct AuditEntry: Sendable, Equatable {
    package let who: String
    package let pool: PoolName
    package let before: PoolSetting
    package let after: PoolSetting
  }

  package init() {}

  /// Calls the watchers when the node is new.
  package func renewLease(
    _ node: NodeReport, lease: Duration
  ) async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
    try state.withLock { state -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) in
      _ = try state.overview()
      let isNew = state.nodes[node.id].map { $0.leaseUntil <= state.now } ?? true
      state.nodes[node.id] = (report: node, leaseUntil: state.now.addingTimeInterval(lease / .seconds(1)))
      if isNew { state.notify() }
      return try state.overview()
    }
  }

  /// Calls the watchers when there was a lease.
  package func releaseLease(_ node: String) async throws {
    try state.withLock { state in
      _ = try state.overview()
      if state.nodes.removeValue(forKey: node) != nil { state.notify() }
    }
  }

  package func overview() async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
    try state.withLock { state -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) in try state.overview() }
  }

  package func change(
    _ pool: PoolName, by who: String, _ change: @escaping @Sendable (inout PoolSetting) -> Void
  ) async throws -> PoolSetting {
    try state.withLock { state -> PoolSetting in
      let before = try state.overview().settings[pool] ?? PoolSetting()
      var after = before
      change(&after)
      state.settings[pool] = after
      state.audit.append(AuditEntry(who: who, pool: pool, before: before, after: after))
      state.notify()
      return after
    }
  }

  /// Calls back at the start and after each change.
  package func watch(_ changed: @escaping @Sendable () async -> Void) async {
    let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    defer { state.withLock { $0.watchers[id] = nil } }
    // A change before the watch began must not be missed.
    continuation.yield()
    for await _ in changes { await changed() }
  }

  /// False: every call throws ``Jobs/JobStoreError/unavailable(_:)``.
  package var isAvailable: Bool {
    get { state.withLock { $0.isAvailable } }
    set { state.withLock { $0.isAvailable = newValue } }
  }

  /// Moves the directory's clock forward.
  package func advance(by duration: Duration) { state.withLock { $0.clockOffset += duration / .seconds(1) } }

  /// In order.
  package var audit: [AuditEntry] { state.withLock { $0.audit } }
}
