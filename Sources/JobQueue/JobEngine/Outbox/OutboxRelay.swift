internal import ClientLoop
internal import Jobs

/// Sweeps up what crashes and outages leave behind: outbox entries that were not enqueued at once, and scheduled jobs
/// that are due.
struct OutboxRelay<Store: JobStore>: Sendable {
  let store: Store
  let broker: any JobBroker
  let outbox: OutboxPublisher<Store>
  let outage: OutageLog

  /// Younger entries are still in the hands of whoever committed them.
  private var age: Duration { .seconds(2) }
  /// How often due jobs are looked for: they fire within a second of their time.
  private var interval: Duration { .milliseconds(250) }
  /// Entries in one round.
  private var limit: Int { 500 }

  /// Sweeps until the task is cancelled.
  func run() async {
    var backoff = Backoff(initial: interval, max: .seconds(2))
    while !Task.isCancelled {
      var isMore = false
      var pause = interval
      // Without a broker nothing could be published: due jobs stay where they are, and transactions are not held open.
      if broker.isReady {
        do {
          isMore = try await releaseDueJobs() == limit
          isMore = try await relay() == limit || isMore
          outage.succeeded()
          backoff.reset()
        } catch {
          if Task.isCancelled { return }
          outage.failed(error)
          pause = backoff.next()
        }
      }
      if !isMore { try? await TimeSource.sleep(for: pause) }
    }
  }

  private func releaseDueJobs() async throws -> Int {
    let due = try await store.releaseDueJobs(limit: limit)
    if !due.isEmpty { Failpoint.afterScheduledRelease.visit() }
    await outbox.publish(due)
    return due.count
  }

  private func relay() async throws -> Int {
    try await store.relayOutbox(olderThan: age, limit: limit) { entries in
      let kept = await outbox.enqueue(entries)
      Failpoint.afterRelayPublish.visit()
      return kept
    }
  }
}
