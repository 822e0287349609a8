internal import ClientLoop
internal import Jobs

/// Enqueues the outbox entries that crashes and outages left behind, and scheduled jobs that are due.
struct OutboxRelay<Store: JobStore>: Sendable {
  let store: Store
  let broker: any JobBroker
  let outbox: OutboxPublisher<Store>
  let outage: OutageLog

  /// Younger entries are still being enqueued by the process that committed them.
  private var age: Duration { .seconds(2) }
  /// Due jobs are enqueued within a second of their time.
  private var pollInterval: Duration { .milliseconds(250) }
  /// Entries in one round.
  private var limit: Int { 500 }

  /// Polls until the task is cancelled.
  func run() async {
    try? await retrying(
      backoff: Backoff(initial: pollInterval, max: .seconds(2)),
      decide: { error in
        outage.failed(error)
        return .retry
      },
      { backoff in
        while true {
          // Without a broker nothing could be published: due jobs stay where they are, and no transaction is held open.
          var isPageFull = false
          if broker.isReady {
            isPageFull = try await releaseDueJobs() == limit
            isPageFull = try await relay() == limit || isPageFull
            outage.succeeded()
            backoff.reset()
          }
          if isPageFull { try Task.checkCancellation() } else { try await TimeSource.sleep(for: pollInterval) }
        }
      })
  }

  private func releaseDueJobs() async throws -> Int {
    let due = try await store.releaseDueJobs(limit: limit)
    if !due.isEmpty { Failpoint.afterScheduledRelease.visit() }
    await outbox.publish(due)
    return due.count
  }

  private func relay() async throws -> Int {
    try await store.relayOutbox(olderThan: age, limit: limit) { entries in
      let enqueued = await outbox.enqueue(entries)
      Failpoint.afterRelayPublish.visit()
      return enqueued
    }
  }
}
