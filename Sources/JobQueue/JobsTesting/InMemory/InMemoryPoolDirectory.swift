internal import ClientLoop
internal import Foundation
package import Jobs
internal import Synchronization

/// Operators' settings and the nodes' leases in memory.
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
      guard isAvailable else { throw JobStoreError.unavailable("the test has cut it off") }
      let now = self.now
      let live = nodes.values.filter { $0.leaseUntil > now }.map(\.report)
      return (settings, live.sorted { $0.id < $1.id })
    }
  }
  private let state = Mutex(State())

  /// A change of a pool's setting.
  package struct AuditEntry: Sendable, Equatable {
    /// The operator.
    package let who: String
    /// The pool.
    package let pool: PoolName
    /// The setting before.
    package let before: PoolSetting
    /// The setting after.
    package let after: PoolSetting
  }

  /// An empty directory.
  package init() {}

  /// Renews the lease; watchers are told of a node that is new.
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

  /// Gives the lease up and tells the watchers, where there was one.
  package func releaseLease(_ node: String) async throws {
    try state.withLock { state in
      _ = try state.overview()
      if state.nodes.removeValue(forKey: node) != nil { state.notify() }
    }
  }

  /// Settings, and the nodes whose leases have not ended.
  package func overview() async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) {
    try state.withLock { state -> (settings: [PoolName: PoolSetting], nodes: [NodeReport]) in try state.overview() }
  }

  /// Changes a setting, writes it down in ``audit`` and tells the watchers.
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

  /// Calls back once at the start, and then after each change.
  package func watch(_ changed: @escaping @Sendable () async -> Void) async {
    let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state in
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    defer { state.withLock { $0.watchers[id] = nil } }
    // Something may have changed before the watch began.
    continuation.yield()
    for await _ in changes { await changed() }
  }

  /// False while every call is to throw.
  package var isAvailable: Bool {
    get { state.withLock { $0.isAvailable } }
    set { state.withLock { $0.isAvailable = newValue } }
  }

  /// Puts the directory's clock forward: leases that are not renewed end.
  package func advance(by duration: Duration) { state.withLock { $0.clockOffset += duration / .seconds(1) } }

  /// What operators have changed, in order.
  package var audit: [AuditEntry] { state.withLock { $0.audit } }
}
