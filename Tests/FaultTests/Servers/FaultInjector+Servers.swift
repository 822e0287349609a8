import TestPlatform
import TestServers

/// Faults of the servers and the sessions on them.
extension FaultInjector {
  var pools: [String] {
    [platform.validatePool, platform.resolvePool, platform.sendPool, platform.inboundPool, platform.rollupPool]
  }

  /// Purges the queue of a paused pool, and resumes the pool.
  func purge(_ pool: String) async throws {
    let count = try await platform.depth(of: pool) ?? 0
    try await servers.rabbitmqctl("purge_queue", pool)
    results.change { results in
      results.purgedJobs += count
      results.purges[pool, default: 0] += 1
      results.lastPurge = .now
    }
    try await command("resume", pool)
  }

  func limitStatements(_ milliseconds: Int, cancels: Bool) async throws {
    try await servers.setStatementTimeout(milliseconds, of: platform.name)
    guard cancels else { return }
    let task = Task { [servers, platform] in await servers.cancelStatements(of: platform.name) }
    cancelling.change { $0 = task }
  }

  func liftStatementLimit() async throws {
    cancelling.change { $0.take() }?.cancel()
    try await servers.setStatementTimeout(nil, of: platform.name)
  }

  func command(_ name: String, _ arguments: String...) async throws {
    let (status, output) = try await platform.command([name] + arguments)
    guard status == 0 else { throw TestError(description: "vluma \(name) ended with \(status): \(output)") }
  }
}
