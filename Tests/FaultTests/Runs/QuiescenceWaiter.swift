import Postgres
import RabbitMQ
import TestPlatform
import TestServers

/// Waits at the end of a run, with all servers healthy, until the platform is idle.
struct QuiescenceWaiter {
  let platform: Platform
  let rabbitMQ: ServerURL

  /// - Parameter retryingCrashed: whether jobs may be dead because their processes were killed; they are retried, as an
  ///   operator would do.
  /// - Returns: the number of retried jobs.
  func waitForQuiescence(retryingCrashed: Bool) async throws -> Int {
    var dead = 0
    // Messages in doubt need later webhooks: a customer writes meanwhile.
    try await eventually(within: .seconds(180), every: .seconds(1), "all messages have ended") {
      if retryingCrashed { dead += try await retryCrashed() }
      try await platform.sandbox?.sendText("Obrigado!", from: "5511999990000")
      return try await platform.number(
        "SELECT count(*) FROM messaging.message WHERE state IN ('prepared', 'sending', 'in_doubt')") == 0
    }
    for _ in 0..<20 {
      try await platform.waitUntilIdle(within: .seconds(120))
      let retried = try await retryingCrashed ? retryCrashed() : 0
      dead += retried
      if retried == 0, try await jobsInTiers() == 0 { return dead }
    }
    throw TestError(description: "jobs stay in the retry tiers")
  }

  /// Retries dead letters where all of them have crashed.
  private func retryCrashed() async throws -> Int {
    let row = try await platform.pool.query(
      """
      SELECT count(*) FILTER (WHERE reason = 'crashed'), count(*) FILTER (WHERE reason <> 'crashed')
      FROM jobs.dead_letter WHERE state = 'open'
      """)[0]
    let (crashed, others): (Int, Int) = (try row.decode(0), try row.decode(1))
    guard crashed > 0, others == 0 else { return 0 }
    print("\(crashed) jobs died of killed processes and are retried")
    try await platform.command("dead", "retry", "--all", "--limit", "10000")
    return crashed
  }

  /// Jobs in a retry tier, or without a pool; no other test uses this broker.
  private func jobsInTiers() async throws -> Int {
    try await RabbitMQAdministration.with(try RabbitMQConfiguration(url: rabbitMQ.string)) {
      (broker) async throws -> Int in
      var count = 0
      for queue in ["vluma.retry.1s", "vluma.retry.5s", "vluma.unroutable"] {
        count += try await broker.queueDepth(queue)?.messages ?? 0
      }
      return count
    }
  }
}
