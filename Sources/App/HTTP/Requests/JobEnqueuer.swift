internal import Foundation
internal import Hummingbird
internal import Jobs

/// Enqueues the jobs of requests and turns each result into a response.
struct JobEnqueuer: Sendable {
  let broker: any JobBroker
  let routes: [JobKind: PoolName]
  /// The clock that orders the commands of one booking; all nodes must use the same one.
  let now: @Sendable () -> Date

  /// How long the broker may take to confirm a job.
  static let confirmTimeout = Duration.seconds(4)

  private static let tooLarge = Problem(
    .contentTooLarge, "the request is larger than the queue takes; nothing was done")

  /// Enqueues the job and returns once the broker has confirmed it; throws a 503 where it has not, and a 413 where it
  /// is too large.
  ///
  /// - Parameter business: nil: the worker must find out.
  /// - Parameter inDoubt: the problem's detail where it is unknown whether the job was enqueued.
  func enqueue<Work: Job>(
    _ job: Work, of business: UUID?, _ request: Request,
    inDoubt: String = "it is not known whether the request was accepted; repeat it with the same Idempotency-Key"
  ) async throws {
    let kind = Work.kind
    guard let pool = routes[kind] else { throw UnroutedKind(kind: kind) }
    let envelope: JobEnvelope
    do {
      envelope = try JobCodec.envelope(for: job, at: now(), tenant: business, traceparent: request.traceparent)
    } catch is JobTooLarge { throw Self.tooLarge }
    let result = await broker.enqueue([OutgoingJob(envelope, to: .pool(pool))], deadline: .now + Self.confirmTimeout)
      .first
    switch result {
    case .enqueued: return
    case .unroutable:
      throw Problem.unavailable("the queue for this request does not exist yet; try again later", retryAfter: 30)
    case .refused: throw Self.tooLarge
    case .inDoubt: throw Problem.unavailable(inDoubt)
    case .unavailable, nil:
      throw Problem.unavailable("the request could not be accepted now; nothing was done, try again")
    }
  }
}
