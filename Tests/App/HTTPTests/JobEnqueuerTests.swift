import Foundation
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import TestServers
import Testing

@testable import HTTP

struct JobEnqueuerTests {
  private struct TextJob: Job {
    static let kind: JobKind = "test.text"
    var text: String
  }

  private struct CountingBroker: JobBroker {
    let enqueued = Locked(0)
    var isReady: Bool { true }

    func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
      enqueued.change { $0 += jobs.count }
      return jobs.map { _ in .enqueued }
    }

    func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
      preconditionFailure("a front consumes nothing")
    }
    func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
      preconditionFailure("a front consumes nothing")
    }
  }

  @Test func `a job that is too large for its executor is refused with a 413 and not enqueued`() async throws {
    let broker = CountingBroker()
    let enqueuer = JobEnqueuer(broker: broker, routes: [TextJob.kind: "texts"], now: { Date() })
    let head = HTTPRequest(method: .post, scheme: "http", authority: "test", path: "/")
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    let problem = await #expect(throws: Problem.self) {
      try await enqueuer.enqueue(
        TextJob(text: String(repeating: "a", count: JobCodec.maxBodyBytes)), of: nil, request)
    }
    #expect(problem?.status == .contentTooLarge)
    #expect(broker.enqueued.value == 0)
    try await enqueuer.enqueue(TextJob(text: "a"), of: nil, request)
    #expect(broker.enqueued.value == 1)
  }
}
