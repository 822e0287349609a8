internal import Foundation
internal import JobConfiguration
internal import Jobs
internal import Logging
internal import Synchronization
internal import Wires

/// Moves dead jobs from the broker into the index, where the operator finds them. While PostgreSQL is away they wait in
/// the broker.
final class DeadLetterIndexer: Sendable {
  /// The dead letters of one pool.
  private final class Lane: Sendable {
    let subscription: any JobSubscription
    let watchdog: FlowWatchdog
    let isRecording = Atomic(false)

    init(_ subscription: any JobSubscription, _ watchdog: FlowWatchdog) {
      self.subscription = subscription
      self.watchdog = watchdog
    }
  }

  private let lanes: [Lane]
  private let index: any DeadLetterIndex
  private let outage: OutageLog

  private let paused = Atomic(false)

  /// Letters taken and not yet recorded, per pool.
  private static let capacity = 200

  init(pools: [PoolName], broker: any JobBroker, index: any DeadLetterIndex, silence: Duration, logger: Logger) {
    lanes = pools.map { pool in
      let subscription = broker.subscribeToDead(of: pool, capacity: 0)
      let name = PoolName(rawValue: "\(pool).dead")
      return Lane(subscription, FlowWatchdog(subscription, pool: name, silence: silence, logger: logger))
    }
    self.index = index
    outage = OutageLog("dead letters cannot be indexed; they wait", logger: logger)
  }

  /// True while the broker hands out letters.
  var isFlowing: Bool { lanes.allSatisfy { $0.subscription.isFlowing && !$0.watchdog.isStalled } }

  /// Pauses or resumes indexing.
  func isPaused(_ isPaused: Bool) {
    paused.store(isPaused, ordering: .relaxed)
    for lane in lanes { lane.subscription.setCapacity(isPaused ? 0 : Self.capacity) }
  }

  /// Takes nothing more; what is in hand is still recorded.
  func drain() { for lane in lanes { lane.subscription.cancel() } }

  /// Indexes until drained or cancelled.
  func run() async {
    await withDiscardingTaskGroup { watching in
      for lane in lanes {
        // While letters are being recorded, which may take as long as PostgreSQL is away, further ones are not missed.
        watching.addTask {
          await lane.watchdog.run {
            !self.paused.load(ordering: .relaxed) && !lane.isRecording.load(ordering: .relaxed)
          }
        }
      }
      await withDiscardingTaskGroup { group in
        for lane in lanes { group.addTask { await self.record(from: lane) } }
      }
      watching.cancelAll()
    }
  }

  private func record(from lane: Lane) async {
    for await deliveries in lane.subscription.deliveries {
      lane.isRecording.store(true, ordering: .relaxed)
      await record(deliveries)
      lane.isRecording.store(false, ordering: .relaxed)
      lane.watchdog.arrived()
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
        try? await CurrentRuntime.sleep(for: .seconds(1))
        break
      }
      try? await CurrentRuntime.sleep(for: backoff.next())
    }
    for delivery in deliveries { delivery.giveBack() }
  }

  private static func letter(_ delivery: JobDelivery) -> DeadLetter {
    let unknown = DeathCertificate(
      reason: .unreadable, detail: "it came without a certificate of death", cause: "certificate", kind: "unreadable",
      pool: "unknown", attempts: 0, at: CurrentRuntime.date)
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
