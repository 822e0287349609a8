internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Wires

/// Moves dead jobs from the broker into the index, where the operator finds them. While PostgreSQL is away they wait in
/// the broker.
final class DeadLetterIndexer: Sendable {
  private let subscriptions: [any JobSubscription]
  private let index: any DeadLetterIndex
  private let outage: OutageLog

  /// Letters taken and not yet recorded, per pool.
  private static let capacity = 200

  init(pools: [PoolName], broker: any JobBroker, index: any DeadLetterIndex, logger: Logger) {
    subscriptions = pools.map { broker.subscribeToDead(of: $0, capacity: 0) }
    self.index = index
    outage = OutageLog("dead letters cannot be indexed; they wait", logger: logger)
  }

  /// True while the broker hands out letters.
  var isFlowing: Bool { subscriptions.allSatisfy(\.isFlowing) }

  /// Pauses or resumes indexing.
  func isPaused(_ isPaused: Bool) {
    for subscription in subscriptions { subscription.setCapacity(isPaused ? 0 : Self.capacity) }
  }

  /// Takes nothing more; what is in hand is still recorded.
  func drain() { for subscription in subscriptions { subscription.cancel() } }

  /// Indexes until drained or cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      for subscription in subscriptions {
        group.addTask { for await deliveries in subscription.deliveries { await self.record(deliveries) } }
      }
    }
  }

  /// Records letters and acknowledges them. While the ledger is away they wait; where it refuses a batch each half is
  /// tried by itself, and a letter it refuses alone goes back to the broker, so that it holds up nobody else.
  private func record(_ deliveries: [JobDelivery]) async {
    let letters = deliveries.map(Self.letter)
    var backoff = Backoff(first: .milliseconds(100), most: .seconds(5))
    while !Task.isCancelled {
      do {
        try await index.record(letters)
        outage.succeeded()
        Failpoint.afterDeadIndexed.visit()
        for delivery in deliveries { delivery.acknowledge() }
        return
      } catch let error as LedgerError {
        outage.failed(error)
      } catch  where deliveries.count > 1 && !Task.isCancelled {
        await record(Array(deliveries[..<(deliveries.count / 2)]))
        return await record(Array(deliveries[(deliveries.count / 2)...]))
      } catch {
        outage.failed(error)
        try? await Task.sleep(for: .seconds(1))
        break
      }
      try? await Task.sleep(for: backoff.next())
    }
    for delivery in deliveries { delivery.giveBack() }
  }

  private static func letter(_ delivery: JobDelivery) -> DeadLetter {
    let unknown = DeathCertificate(
      reason: .unreadable, detail: "it came without a certificate of death", cause: "certificate", kind: "unreadable",
      pool: "unknown", attempts: 0, at: Date())
    switch delivery.content {
    case .job(let envelope):
      // Run 0 marks a carrier of a message that could not be read.
      return DeadLetter(
        jobRun: envelope.jobRun, envelope: envelope.run > 0 ? envelope : nil,
        certificate: delivery.certificate ?? unknown, body: delivery.body)
    case .unreadable:
      return DeadLetter(
        jobRun: JobRun(id: delivery.bodyID, run: 0), envelope: nil, certificate: delivery.certificate ?? unknown,
        body: delivery.body)
    }
  }
}
