internal import Foundation
internal import Hummingbird
internal import Jobs

/// Puts requests' jobs on their queues, and says honestly what became of them.
struct JobEnqueuer: Sendable {
  let broker: any JobBroker
  let routes: [JobKind: PoolName]
  /// The clock that jobs are ordered by; the same for all who take jobs in.
  let now: @Sendable () -> Date

  /// How long the broker may take to enqueue a job.
  static let confirmTimeout = Duration.seconds(4)

  /// Puts the job on its queue and returns once the broker holds it; throws a 503 where it does not.
  ///
  /// - Parameter business: nil where the job itself must find out.
  /// - Parameter inDoubt: what a client should do where nobody knows whether the job was enqueued.
  func enqueue<Work: Job>(
    _ job: Work, of business: UUID?, _ request: Request,
    inDoubt: String = "it is not known whether the request was enqueued; repeat it with the same Idempotency-Key"
  ) async throws {
    let kind = Work.kind
    guard let pool = routes[kind] else { throw UnroutedKind(kind: kind) }
    let envelope = try JobCodec.envelope(for: job, at: now(), tenant: business, traceparent: request.traceparent)
    let outcome = await broker.enqueue([OutgoingJob(envelope, to: .pool(pool))], deadline: .now + Self.confirmTimeout)
      .first
    switch outcome {
    case .enqueued: return
    case .unroutable:
      throw Problem.unavailable("the queue for this request does not exist yet; try again later", retryAfter: 30)
    case .inDoubt: throw Problem.unavailable(inDoubt)
    case .unavailable, nil:
      throw Problem.unavailable("the request could not be enqueued now; nothing was done, try again")
    }
  }
}

/// A job kind that no pool of queues.yaml takes: `vluma check` finds it.
struct UnroutedKind: Error, CustomStringConvertible {
  let kind: JobKind
  var description: String { "job kind \(kind) is in no pool of queues.yaml" }
}
