internal import ClientLoop

/// Runs poison jobs, which may have crashed more than one process, one at a time over all pools: when this process
/// crashes too, only one of them can be the cause.
final class PoisonJobLock: Sendable {
  private let semaphore = AsyncSemaphore(permits: 1)

  /// Runs `body` alone, in order of arrival; false where the task is cancelled first.
  func withLock(_ body: () async -> Void) async -> Bool {
    do { try await semaphore.acquire() } catch { return false }
    await body()
    semaphore.release()
    return true
  }
}
