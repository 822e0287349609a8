import ArgumentParser
import JobConfiguration
import Jobs
import JobsPostgres
import JobsRabbitMQ
import Postgres
import RabbitMQ

struct Move: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Move what waits for a pool that was removed or renamed to the pools that do these jobs now.",
    discussion: """
      Takes jobs from the pool's queue, the outbox and the scheduled ones; each goes, unchanged, to the pool that \
      queues.yaml has for its kind. A job leaves its old queue when the broker has confirmed that it is in the new \
      one: interrupting this loses nothing, and running it again is safe. Of a pool that queues.yaml has only what its \
      workers would not do is moved, from the outbox and the scheduled ones; its queue is left to them.
      """)

  @Argument(help: "The old pool, or \(Topology.unroutable): jobs that came back from a retry and found no pool.")
  var old: String
  @Argument(help: "The only pool they may go to. Default: for each the one that does its kind.")
  var new: String?
  @Flag(help: "Move the pool's dead letters instead of its jobs.")
  var dead = false
  @Option(help: "At most this many from the broker.")
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more.") }
    if old == new { throw ValidationError("\(old) cannot be moved to itself.") }
    if old.hasSuffix(".dead") {
      throw ValidationError("Name the pool, \(old.dropLast(".dead".count)), and --dead for its dead letters.")
    }
    guard old.hasPrefix("vluma.") else { return }
    guard old == Topology.unroutable, !dead else {
      throw ValidationError("Of the platform's own queues only \(Topology.unroutable) has jobs to be moved.")
    }
  }

  /// What was done, added up over the places jobs were found in.
  private struct MoveSummary {
    var moved: [PoolName: Int] = [:]
    var left: [ReroutePlan.Reason: Int] = [:]
    var failure: String?
  }

  private struct Stopped: Error, CustomStringConvertible {
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
    var summary = MoveSummary()
    // The store first, so that little of it reaches the old queue meanwhile.
    if old != Topology.unroutable { try await move(plan, in: store, &summary) }
    if isInUse {
      print("\(old) is in queues.yaml: its queue is left to its workers.")
    } else {
      try await move(plan, in: builder, store, &summary)
    }
    await pool.close()
    try report(summary)
  }

  private func move(_ plan: ReroutePlan, in store: PostgresRerouter, _ summary: inout MoveSummary) async throws {
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

  private func move(
    _ plan: ReroutePlan, in builder: AppBuilder, _ store: PostgresRerouter, _ summary: inout MoveSummary
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
      var result = await QueueDrain(publisher: publisher, consumer: consumer, broker: broker)
        .run(from: source, by: plan, limit: limit)
      // Their ends are awaited: the last acknowledgements go out with them.
      for task in running { task.cancel() }
      for task in running { await task.value }
      if limit == nil, result.failure == nil, result.left.isEmpty,
        let rest = try await broker.queueDepth(source.queue)?.messages, rest > 0
      {
        result.failure = "\(rest) more wait in \(source.queue): run this again"
      }
      return result
    }
    summary.left = result.left
    summary.failure = result.failure
    for (target, count) in result.moved {
      summary.moved[target, default: 0] += count
      do {
        try await store.recordReroute(count, "\(source.noun)s of \(source.queue)", from: old, to: target)
      } catch {
        // They are moved all the same, and that must be said.
        summary.failure = summary.failure ?? "what was moved could not be written down: \(error)"
      }
    }
  }

  private func report(_ summary: MoveSummary) throws {
    let noun = dead ? "dead letter" : "job"
    func counted(_ count: Int) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
    let moved = summary.moved.filter { $0.value > 0 }
    for (pool, count) in moved.sorted(by: { $0.key < $1.key }) { print("moved \(counted(count)) to \(pool)") }
    let left = summary.left.map { reason, count in "left \(counted(count)) \(reason)" }
    for line in left.sorted() { print(line) }
    if let failure = summary.failure { throw Stopped(description: failure) }
    if moved.isEmpty, left.isEmpty { print("There was nothing to move.") }
    if !left.isEmpty { throw ExitCode.failure }
  }
}
