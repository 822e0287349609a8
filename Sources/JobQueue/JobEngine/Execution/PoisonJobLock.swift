internal import ClientLoop

/// Runs poison jobs, which may have crashed more than one process, one at a time over all pools: when this process
/// crashes too, only one of them can be the cause.
final class PoisonJobLock: Sendable {
  private let semaphore = AsyncSemaphore(permits: 1)

  /// Runs `body` alone, in order of arrival; false where the task is cancelled or the deadline passes first.
  func withLock(until deadline: ContinuousClock.Instant, _ body: () async -> Void) async -> Bool {
    do { try await semaphore.acquire(until: deadline) } catch { return false }
    await body()
    semaphore.release()
    return true
  }
}
