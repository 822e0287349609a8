import ArgumentParser
import JobConfiguration
import JobOperations
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Postgres
import RabbitMQ

struct MoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move",
    abstract: "Move the jobs of a removed or renamed pool to the pools that run their kinds now.",
    discussion: """
      Takes jobs from the pool's queue, the outbox, and those scheduled, retrying or parked in PostgreSQL; each goes, \
      unchanged, to the pool that queues.yaml has for its kind. A job leaves its old queue when the broker has \
      confirmed that it is in the new one: interrupting this loses nothing, and running it again is safe. For a pool \
      still in queues.yaml, only jobs of kinds it no longer runs are moved, from PostgreSQL; its queue is left to its \
      workers.
      """)

  @Argument(help: "The old pool, or \(Topology.unroutable): jobs that came back from a retry whose pool is gone.")
  var old: String
  @Argument(help: "Move them to this pool only. Default: for each job, the pool that runs its kind.")
  var new: String?
  @Flag(help: "Move the pool's dead letters instead of its jobs.")
  var dead = false
  @Option(help: "Move at most this many jobs from the broker.")
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    if old == new { throw ValidationError("\(old) cannot be moved to itself.") }
    if old.hasSuffix(".dead") {
      throw ValidationError("Name the pool, \(old.dropLast(".dead".count)), and --dead for its dead letters.")
    }
    guard old.hasPrefix("vluma.") else { return }
    guard old == Topology.unroutable, !dead else {
      throw ValidationError("Of the platform's own queues only \(Topology.unroutable) has jobs to move.")
    }
  }

  private struct MoveFailed: Error, CustomStringConvertible {
    let description: String
  }

  func run() async throws {
    let builder = try AppBuilder()
    let configuration = try builder.configuration()
    let known = configuration.workingPools.map(\.name)
    if let new, !known.contains(PoolName(rawValue: new)) {
      throw UnknownPool(name: PoolName(rawValue: new), known: known)
    }
    let plan = ReroutePlan(routes: configuration.routes, to: new.map(PoolName.init(rawValue:)))
    let isInUse = configuration.pool(PoolName(rawValue: old)) != nil
    let pool = try builder.pool()
    let store = PostgresRerouter(pool: pool, by: operatorName())
    var summary = QueueDrain.Result()
    // PostgreSQL first, so that few of its jobs reach the old queue meanwhile.
    if old != Topology.unroutable { try await moveStored(plan, in: store, &summary) }
    if isInUse {
      print("\(old) is in queues.yaml: its queue is left to its workers.")
    } else {
      try await moveQueued(plan, in: builder, store, &summary)
    }
    await pool.close()
    try report(summary)
  }

  private func moveStored(_ plan: ReroutePlan, in store: PostgresRerouter, _ summary: inout QueueDrain.Result)
    async throws
  {
    let source = PoolName(rawValue: old)
    if dead, let new {
      let target = PoolName(rawValue: new)
      let count = try await store.rerouteDeadLetters(from: source, to: target, kinds: nil)
      summary.moved[target, default: 0] += count
      return
    }
    for (target, kinds) in plan.destinations(from: source) {
      let count: Int
      if dead {
        count = try await store.rerouteDeadLetters(from: source, to: target, kinds: kinds)
      } else {
        count = try await store.rerouteJobs(from: source, to: target, kinds: kinds)
      }
      summary.moved[target, default: 0] += count
    }
  }

  private func moveQueued(
    _ plan: ReroutePlan, in builder: AppBuilder, _ store: PostgresRerouter, _ summary: inout QueueDrain.Result
  ) async throws {
    let name = PoolName(rawValue: old)
    let source: QueueDrain.Source =
      old == Topology.unroutable ? .unroutable : dead ? .deadLetters(of: name) : .pool(name)
    let rabbitMQ = try builder.environment.rabbitMQ()
    let logger = builder.logger
    let limit = limit
    let result = try await RabbitMQAdministration.with(rabbitMQ, name: "vluma move") { broker -> QueueDrain.Result in
      guard let depth = try await broker.queueDepth(source.queue), depth.messages > 0 else { return .init() }
      let publisher = RabbitMQPublisher(rabbitMQ, name: "vluma move publishing", logger: logger)
      let consumer = RabbitMQConsumer(rabbitMQ, name: "vluma move consuming", logger: logger)
      let running = [Task { await publisher.run() }, Task { await consumer.run() }]
      let drain = QueueDrain(publisher: publisher, consumer: consumer, broker: broker) {
        try await store.recordMoved($0, to: $1)
      }
      var result = await drain.run(from: source, by: plan, limit: limit)
      // Both tasks write their last acknowledgements before they end, so their ends are awaited.
      for task in running { task.cancel() }
      for task in running { await task.value }
      if limit == nil, result.failure == nil, result.skipped.isEmpty,
        let rest = try await broker.queueDepth(source.queue)?.messages, rest > 0
      {
        result.failure = "\(rest) more are queued in \(source.queue): run this again"
      }
      return result
    }
    summary += result
    for (target, count) in result.moved {
      do {
        try await store.recordReroute(count, "\(source.noun)s of \(source.queue)", from: old, to: target)
      } catch {
        // The jobs are moved all the same: report that, and the failure.
        summary.failure = summary.failure ?? "the move could not be audited: \(error)"
      }
    }
  }

  private func report(_ summary: QueueDrain.Result) throws {
    let noun = dead ? "dead letter" : "job"
    let moved = summary.moved.filter { $0.value > 0 }
    for (pool, count) in moved.sorted(by: { $0.key < $1.key }) { print("moved \(counted(count, noun)) to \(pool)") }
    let skipped = summary.skipped.map { reason, count in "left \(counted(count, noun)) \(reason)" }
    for line in skipped.sorted() { print(line) }
    if let failure = summary.failure { throw MoveFailed(description: failure) }
    if moved.isEmpty, skipped.isEmpty { print("There was nothing to move.") }
    if !skipped.isEmpty { throw ExitCode.failure }
  }
}
