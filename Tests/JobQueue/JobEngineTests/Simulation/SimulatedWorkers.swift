import ClientLoop
import Foundation
import JobConfiguration
import JobEngine
import Jobs
import JobsTesting

/// The workers of a simulation: echo jobs take a random time, fail, are snoozed or cancelled by chance, and enqueue a
/// follow-up job, due at once or later.
enum SimulatedWorkers {
  /// Draws a number below `limit`.
  static func draw(below limit: Int) -> Int {
    var generator = TimeSource.generator
    return Int.random(in: 0..<limit, using: &generator)
  }

  static func pause(upTo milliseconds: Int) async throws {
    try await TimeSource.sleep(for: .milliseconds(draw(below: milliseconds + 1)))
  }

  /// Nil: the echo job completes.
  static func randomOutcome() throws -> JobOutcome? {
    switch draw(below: 100) {
    case 0..<12: throw TransientError()
    case 12..<18: .snoozed(for: .milliseconds(200 + draw(below: 3_000)), reason: "not now")
    case 18..<22: .cancelled(reason: "not wanted")
    default: nil
    }
  }

  static func enqueueFollowUp(_ job: EchoJob, _ info: JobInfo, _ followUps: inout FollowUps) throws {
    let dueAt = draw(below: 4) == 0 ? TimeSource.date.addingTimeInterval(Double(draw(below: 5))) : nil
    try followUps.enqueue(FollowUpJob(name: "after \(job.name)"), from: info, dueAt: dueAt)
  }

  /// Runs echo jobs one by one.
  struct Single: Worker {
    func work(_ job: EchoJob, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
      try await pause(upTo: 40)
      let randomOutcome = try randomOutcome()
      return try await context.complete { transaction, followUps in
        try await pause(upTo: 5)
        if let randomOutcome { return randomOutcome }
        transaction.record(job.name)
        try enqueueFollowUp(job, context.info, &followUps)
        return .completed
      }
    }
  }

  /// Runs echo jobs in batches.
  struct Batch: BatchWorker {
    func work(
      _ batch: [BatchItem<EchoJob>], in transaction: InMemoryTransaction, followUps: inout FollowUps
    ) async throws -> [JobOutcome] {
      try await pause(upTo: 20)
      var outcomes: [JobOutcome] = []
      for item in batch {
        if let randomOutcome = try randomOutcome() {
          outcomes.append(randomOutcome)
        } else {
          transaction.record(item.job.name)
          try enqueueFollowUp(item.job, item.info, &followUps)
          outcomes.append(.completed)
        }
      }
      return outcomes
    }
  }

  static func registry(inBatches: Bool) -> WorkerRegistry<InMemoryTransaction> {
    var registry = WorkerRegistry<InMemoryTransaction>()
    if inBatches { registry.register(Batch()) } else { registry.register(Single()) }
    registry.register(FollowUpWorker())
    return registry
  }
}
