internal import Foundation
package import Jobs
package import RabbitMQ

/// Moves jobs out of a queue that has no workers to the pools that do their kinds now, unchanged.
///
/// A job leaves its old queue when the broker has confirmed that the new one holds it. A crash in between leaves it in
/// both; its receipt makes that one effect.
package struct QueueDrain: Sendable {
  package enum Source: Sendable, Equatable {
    /// A pool's queue.
    case pool(PoolName)
    /// A pool's dead letters that are not indexed.
    case deadLetters(of: PoolName)
    /// Jobs that returned from a retry tier to a pool that was gone.
    case unroutable

    package var queue: String {
      switch self {
      case .pool(let pool): pool.rawValue
      case .deadLetters(let pool): Topology.deadQueue(of: pool)
      case .unroutable: Topology.unroutable
      }
    }

    /// What the queue holds, for messages.
    package var noun: String { if case .deadLetters = self { "dead letter" } else { "job" } }

    /// The exchange that routes to a pool's queue of this sort.
    var exchange: String { if case .deadLetters = self { Topology.deadExchange } else { Topology.jobsExchange } }

    func decision(_ kind: JobKind?, _ plan: ReroutePlan) -> ReroutePlan.Decision {
      if case .deadLetters = self { plan.decision(forDeadLetterOf: kind) } else { plan.decision(for: kind) }
    }
  }

  private let publisher: RabbitMQPublisher
  private let consumer: RabbitMQConsumer
  private let broker: RabbitMQAdministration
  private let recordMoved: @Sendable ([JobRun], PoolName) async throws -> Void

  /// Unsettled jobs at a time. Skipped jobs stay unsettled until the consumer's connection ends, so that each is
  /// delivered once; this many of them block the rest.
  private static let prefetch = 500
  /// How long the broker may take to confirm, or to deliver what is queued.
  private static let timeout = Duration.seconds(10)

  /// The caller runs the connections, and closes the consumer's afterwards: the broker requeues skipped jobs then.
  ///
  /// - Parameter recordMoved: called with jobs that were moved, and their new pool; where it fails the drain ends.
  package init(
    publisher: RabbitMQPublisher, consumer: RabbitMQConsumer, broker: RabbitMQAdministration,
    recordMoved: @escaping @Sendable ([JobRun], PoolName) async throws -> Void = { _, _ in }
  ) {
    self.publisher = publisher
    self.consumer = consumer
    self.broker = broker
    self.recordMoved = recordMoved
  }

  /// Moves jobs until the queue, which must exist, is empty, or `limit` of them have been moved.
  package func run(from source: Source, by plan: ReroutePlan, limit: Int? = nil) async -> Result {
    let subscription = consumer.subscribe(queue: source.queue, prefetch: Self.prefetch)
    let monitor = DrainMonitor(timeout: Self.timeout, prefetch: Self.prefetch)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { await monitor.run(over: subscription, broker) }
      var result = Result()
      for await deliveries in subscription.deliveries {
        monitor.batchStarted()
        await forward(deliveries, source, plan, limit: limit ?? .max, &result)
        monitor.batchFinished(skipped: result.skippedCount)
        if result.failure != nil || result.movedCount >= limit ?? .max { break }
      }
      subscription.cancel()
      group.cancelAll()
      result.failure = result.failure ?? monitor.failure
      return result
    }
  }

  private func forward(
    _ deliveries: [RabbitMQDelivery], _ source: Source, _ plan: ReroutePlan, limit: Int, _ result: inout Result
  ) async {
    var forwarded: [(delivery: RabbitMQDelivery, pool: PoolName, message: RabbitMQMessage)] = []
    for delivery in deliveries {
      // What is beyond the limit stays unsettled as well.
      if result.movedCount + forwarded.count >= limit { break }
      switch source.decision(delivery.properties.type.map(JobKind.init(rawValue:)), plan) {
      case .keep(let reason): result.skipped[reason, default: 0] += 1
      case .reroute(let pool):
        if let message = Self.message(delivery, source, pool) {
          forwarded.append((delivery: delivery, pool: pool, message: message))
        } else {
          result.skipped[delivery.omittedBody == nil ? .unknownHeaders : .tooLarge, default: 0] += 1
        }
      }
    }
    let outcomes = await publisher.publish(forwarded.map { $0.message }, deadline: .now + Self.timeout)
    var moved: [PoolName: [JobRun]] = [:]
    for (job, outcome) in zip(forwarded, outcomes) {
      if outcome == .refused {
        result.skipped[.tooLarge, default: 0] += 1
      } else if let failure = Self.failure(outcome, job.pool) {
        result.failure = failure
      } else {
        job.delivery.acknowledge()
        result.moved[job.pool, default: 0] += 1
        // A message that cannot be read is in no table.
        if let envelope = try? JobEnvelope(job.delivery.properties, body: Data()) {
          moved[job.pool, default: []].append(envelope.jobRun)
        }
      }
    }
    for (pool, jobs) in moved {
      do { try await recordMoved(jobs, pool) } catch {
        result.failure = result.failure ?? "jobs were moved to \(pool), and that could not be recorded: \(error)"
      }
    }
  }

  /// The same message for another pool; nil: its body was not kept, or it has a header of a type that this client
  /// cannot write. The broker's own
  /// headers (`x-death` and others) are left out: they belong to the old queue.
  private static func message(_ delivery: RabbitMQDelivery, _ source: Source, _ pool: PoolName) -> RabbitMQMessage? {
    var properties = delivery.properties
    properties.headers = properties.headers.filter { !$0.key.hasPrefix("x-") }
    guard delivery.omittedBody == nil, !properties.headers.values.contains(.unsupported) else { return nil }
    return RabbitMQMessage(
      exchange: source.exchange, routingKey: pool.rawValue, properties: properties, body: delivery.body)
  }

  /// Why a job is not known to be in its new queue; nil: it is there, or never can be.
  private static func failure(_ outcome: PublishResult, _ pool: PoolName) -> String? {
    switch outcome {
    case .confirmed, .refused: nil
    case .returned: "the broker has no queue for pool \(pool): run vluma topology apply, then this again"
    case .nacked: "the broker rejected jobs for pool \(pool): see vluma topology plan, then run this again"
    case .expired: "the broker did not confirm in time: run this again"
    case .lost: "it is not known whether the broker holds the last ones; they may be there twice: run this again"
    }
  }
}
