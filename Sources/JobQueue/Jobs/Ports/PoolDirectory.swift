/// The port to what all nodes share: operators' settings, and the live nodes.
package protocol PoolDirectory: Sendable {
  /// Renews this node's lease, stores its report, and returns the settings and all live nodes, this one included.
  func renewLease(_ node: NodeReport, lease: Duration) async throws -> (
    settings: [PoolName: PoolSetting], nodes: [NodeReport]
  )
  /// Ends the lease, so that the other nodes take over this node's part of each pool at once.
  func releaseLease(_ node: String) async throws
  /// Settings and live nodes, for a reader that is not a node.
  func overview() async throws -> (settings: [PoolName: PoolSetting], nodes: [NodeReport])
  /// Changes a pool's setting, audited under `who`, and notifies every node.
  func change(_ pool: PoolName, by who: String, _ change: @escaping @Sendable (inout PoolSetting) -> Void) async throws
    -> PoolSetting
  /// Calls back whenever settings or nodes have changed, or may have, until the task is cancelled.
  func watch(_ changed: @escaping @Sendable () async -> Void) async
}
