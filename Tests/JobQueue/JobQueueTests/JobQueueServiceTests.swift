import Foundation
import JobQueue
import Jobs
import Logging
import Postgres
import RabbitMQ
import ServiceLifecycle
import TestServers
import Testing

private struct AddNumber: Job {
  static let kind: JobKind = "numbers.add"
  var number: Int
}

private struct AddNumberWorker: Worker {
  func work(_ job: AddNumber, context: JobContext<PostgresTransaction>) async throws -> JobOutcome {
    try await context.complete { transaction, _ in
      try await transaction.query("INSERT INTO number VALUES (\(job.number))")
      return .completed
    }
  }
}

/// The queue as a foreign package uses it: configuration and workers in, one service out.
@Suite(.timeLimit(.minutes(1)))
struct JobQueueServiceTests {
  private let pool = TestEnvironment.uniqueName("numbers")
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func queues(kind: String = "numbers.add") -> String {
    """
    version: 1
    retry_tiers: [1s]
    pools:
      \(pool):
        jobs: [\(kind)]
        workers: { min: 1, start: 2, max: 4 }
      dead.letters: { jobs: [], workers: { min: 1, start: 1, max: 1 } }
    """
  }

  private func workers() -> JobWorkers {
    var workers = JobWorkers()
    workers.register(AddNumberWorker())
    return workers
  }

  private func configuration(postgres: String) throws -> JobQueueConfiguration {
    JobQueueConfiguration(
      queues: queues(), rabbitMQ: try TestEnvironment.rabbitMQ().string, postgres: postgres,
      redis: try TestEnvironment.redis().string, shutdownGrace: .seconds(2))
  }

  private func deleteQueues() async throws {
    let rabbitMQ = try RabbitMQConfiguration(url: TestEnvironment.rabbitMQ().string)
    try await RabbitMQAdministration.with(rabbitMQ) { broker in
      for queue in [pool, "\(pool).dead"] { try await broker.deleteQueue(queue, onlyIfEmpty: false) }
    }
  }

  @Test func `a job that is enqueued is done once, and the service drains when it is asked to`() async throws {
    try await withEmptyDatabase { database in
      let table = PostgresConnectionPool(database, size: 2)
      try await table.query("CREATE TABLE number (value int NOT NULL)")
      let queue = try JobQueueService(configuration(postgres: database.url), workers: workers(), logger: logger)
      try await queue.setUp()
      let group = ServiceGroup(services: [queue], logger: logger)
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        try await eventually(within: .seconds(20), "jobs flow") { queue.notReadyReason == nil }
        let id = try await queue.enqueue(AddNumber(number: 7))
        try await queue.enqueue(AddNumber(number: 7), id: id)
        try await queue.enqueue(AddNumber(number: 8))
        try await eventually(within: .seconds(20), "both numbers are added") {
          try await table.query("SELECT value FROM number ORDER BY value").map { try $0.decode(0, as: Int.self) }
            == [7, 8]
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
      }
      await table.close()
      try await deleteQueues()
    }
  }

  @Test func `every problem of queues.yaml is named`() throws {
    var configuration = try configuration(postgres: "postgres://nobody@127.0.0.1:1/none")
    configuration.queues = queues(kind: "numbers.ad")
    #expect {
      _ = try JobQueueService(configuration, workers: workers(), logger: logger)
    } throws: { error in
      "\(error)".contains("numbers.ad") && "\(error)".contains("queues.yaml:5")
    }
  }

  @Test func `a job whose queue is missing is refused, and the error says what to do`() async throws {
    try await withEmptyDatabase { database in
      let queue = try JobQueueService(configuration(postgres: database.url), workers: workers(), logger: logger)
      let task = Task { try await queue.run() }
      try await eventually(within: .seconds(20), "the refusal names the missing queue") {
        do {
          try await queue.enqueue(AddNumber(number: 1))
          return false
        } catch let error as JobQueueService.NotEnqueued {
          return "\(error)".contains("setUp()")
        }
      }
      task.cancel()
      _ = try? await task.value
    }
  }
}
