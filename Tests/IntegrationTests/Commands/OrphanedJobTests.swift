import Foundation
import Glibc
import TestPlatform
import TestServers
import Testing

/// `vluma doctor` and `vluma move`. One platform at a time: all of them share the queue of jobs without a pool.
@Suite(.serialized, .timeLimit(.minutes(3)))
enum OrphanedJobTests {}

extension Platform {
  /// Leaves dead letters that are not indexed, and then queued jobs, in the pool of validation. Returns the bookings of
  /// the queued jobs. `maxAttempts` must be 1.
  func leaveJobs(dead: Int, queued: Int) async throws -> [UUID] {
    let (_, address) = try await startIngest()
    try await breakCatalog()
    let worker = try await startWorker(pools: [validatePool])
    for index in 0..<dead { _ = try await book(index, at: address) }
    try await wait(for: dead, in: "\(validatePool).dead")
    worker.send(SIGTERM)
    try await worker.ended()
    try await loadCatalog()
    var bookings: [UUID] = []
    for index in dead..<(dead + queued) {
      bookings.append(try #require(try await book(index, at: address)?.booking))
    }
    try await wait(for: queued, in: validatePool)
    return bookings
  }

  /// Waits until so many messages of a queue are ready.
  func wait(for count: Int, in queue: String) async throws {
    try await eventually(within: .seconds(20), "\(count) messages are ready in \(queue)") {
      try await self.depth(of: queue) == count
    }
  }
}
