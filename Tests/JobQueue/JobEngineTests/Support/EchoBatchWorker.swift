import Jobs
import JobsTesting

/// Runs batches of echo jobs with a body that the test passes in.
struct EchoBatchWorker: BatchWorker {
  typealias Body = @Sendable ([BatchItem<EchoJob>], InMemoryTransaction) async throws -> [JobOutcome]
  private let body: Body

  init(_ body: @escaping Body) { self.body = body }

  func work(
    _ batch: [BatchItem<EchoJob>], in transaction: InMemoryTransaction, followUps: inout FollowUps
  ) async throws -> [JobOutcome] {
    try await body(batch, transaction)
  }
}
