import Foundation
import JobConfiguration
import JobProcessing
import Jobs
import JobsTesting
import Wires

/// What the workers of a simulation do: errands that take their time, fail, are put off or discarded by chance, and
/// have a sequel, at once or later.
enum SimulatedTrade {
  /// Draws a number below `limit`.
  static func draw(below limit: Int) -> Int {
    var generator = CurrentRuntime.generator
    return Int.random(in: 0..<limit, using: &generator)
  }

  static func pause(upTo milliseconds: Int) async throws {
    try await CurrentRuntime.sleep(for: .milliseconds(draw(below: milliseconds + 1)))
  }

  /// How an errand ends this time; nil: well.
  static func mood() throws -> JobOutcome? {
    switch draw(below: 100) {
    case 0..<12: throw Mishap()
    case 12..<18: .snoozed(for: .milliseconds(200 + draw(below: 3_000)), reason: "not now")
    case 18..<22: .discarded(reason: "not wanted")
    default: nil
    }
  }

  static func follow(_ errand: Errand, _ info: JobInfo, _ followUps: inout FollowUps) throws {
    let dueAt = draw(below: 4) == 0 ? CurrentRuntime.date.addingTimeInterval(Double(draw(below: 5))) : nil
    try followUps.enqueue(Sequel(name: "after \(errand.name)"), from: info, dueAt: dueAt)
  }

  /// Does errands one by one.
  struct Single: Worker {
    func work(_ job: Errand, context: JobContext<InMemoryTransaction>) async throws -> JobOutcome {
      try await pause(upTo: 40)
      let mood = try mood()
      return try await context.close { transaction, followUps in
        try await pause(upTo: 5)
        if let mood { return mood }
        transaction.record(job.name)
        try follow(job, context.info, &followUps)
        return .completed
      }
    }
  }

  /// Does errands many at a time.
  struct Batch: BatchWorker {
    func work(
      _ batch: [BatchItem<Errand>], in transaction: InMemoryTransaction, followUps: inout FollowUps
    ) async throws -> [JobOutcome] {
      try await pause(upTo: 20)
      var outcomes: [JobOutcome] = []
      for item in batch {
        if let mood = try mood() {
          outcomes.append(mood)
        } else {
          transaction.record(item.job.name)
          try follow(item.job, item.info, &followUps)
          outcomes.append(.completed)
        }
      }
      return outcomes
    }
  }

  static func registry(inBatches: Bool) -> WorkerRegistry<InMemoryTransaction> {
    var registry = WorkerRegistry<InMemoryTransaction>()
    if inBatches { registry.register(Batch()) } else { registry.register(Single()) }
    registry.register(SequelWorker())
    return registry
  }
}
