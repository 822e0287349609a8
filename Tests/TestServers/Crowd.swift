internal import ClientLoop

/// Keeps tests that hold very many connections apart from the starting of processes.
///
/// With some 1,360 descriptors open, Foundation's `Process.run()` may crash on Linux: it lists /proc/self/fd, and
/// copies 256 bytes of each name, beyond the end of the C library's 32 KiB of directory entries.
package enum Crowd {
  private static let permits = 1_000
  private static let gate = AsyncSemaphore(permits: permits)

  /// Waits until no process is being started; from now on none is, until ``end()``.
  package static func begin() async throws { try await gate.acquire(permits) }

  package static func end() { gate.release(permits) }

  static func whileAbsent<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await gate.withPermits(1) { try await body() }
  }
}
