import ArgumentParser
import Foundation
import JobOperations
import Jobs
import JobsPostgres

extension MissingCommand {
  struct Enqueue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Enqueue missing jobs again, those whose bodies were recorded.",
      discussion: """
        Each job keeps its id and run: one that waits somewhere after all, or is enqueued twice, still runs once.
        """)

    @OptionGroup var selection: Selection
    @Flag(
      help: """
        All recorded jobs that have not ended, also where none is known to be missing: right after a queue was purged, or \
        where no worker process can compare.
        """)
    var all = false

    func run() async throws {
      try await MissingCommand.withAccess { access in
        var targets = access.missing(selection).map { (pool: $0.pool, before: Optional($0.since), count: $0.count) }
        if all {
          let known = try await access.jobs.pools().filter { selection.pool == nil || selection.pool == $0.rawValue }
          targets = known.map { (pool: $0, before: nil, count: 0) }
        }
        guard !targets.isEmpty else {
          if let reason = access.unknownReason, !all { throw NotKnown(description: reason) }
          return print(
            all ? "No jobs are recorded that have not ended." : "No jobs are known to be missing; --all does not ask.")
        }
        for target in targets { try await enqueue(target.pool, before: target.before, count: target.count, access) }
      }
    }

    private func enqueue(_ pool: PoolName, before: Date?, count: Int, _ access: Access) async throws {
      let bodiless = try await access.jobs.counts(of: pool, before: before).without
      let enqueued = try await access.jobs.enqueue(pool, before: before)
      print("enqueued \(counted(enqueued, "job")) of \(pool)")
      if bodiless > 0 {
        print(
          """
          left \(counted(bodiless, "job")) of \(pool) without a body: ask the sender for them by the ids that \
          vluma missing --pool \(pool) --json shows; what will not come: vluma missing dismiss --pool \(pool)
          """)
      }
      let unrecorded = count - enqueued - bodiless
      if unrecorded > 0 {
        print(
          "\(counted(unrecorded, "job")) of \(pool) were never recorded; to stop looking for them: vluma missing dismiss"
        )
      }
      if bodiless == 0, unrecorded <= 0 { try await access.jobs.settle(pool) }
    }
  }

  struct Dismiss: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give up missing jobs that cannot be enqueued again.",
      discussion: """
        Forgets the pool's missing jobs that have no body, or those that are named, and counts them as cancelled, as well \
        as what no record explains. One that comes up after all runs. Run vluma missing enqueue first.
        """)

    @Option(help: "The pool.")
    var pool: String
    @Argument(help: "Only these jobs, with or without a body.")
    var ids: [String] = []

    func run() async throws {
      let selection = try Selection.parse(["--pool", pool])
      let ids = try ids.map(JobID.init(argument:))
      try await MissingCommand.withAccess { access in
        guard let missing = access.missing(selection).first else {
          throw NotKnown(description: access.unknownReason ?? "no jobs of \(pool) are known to be missing")
        }
        let dismissed = try await access.jobs.dismiss(
          missing.pool, before: missing.since, only: ids.isEmpty ? nil : ids)
        print("dismissed \(counted(dismissed, "job")) of \(pool)")
        let left = try await access.jobs.counts(of: missing.pool, before: missing.since)
        let unexplained = missing.count - dismissed - left.withBody - left.without
        if ids.isEmpty, unexplained > 0 {
          try await access.jobs.writeOff(missing.pool, count: unexplained)
          print("\(counted(unexplained, "job")) that were never recorded count as cancelled")
        }
        if left.withBody > 0 {
          print("left \(counted(left.withBody, "job")) with a body: vluma missing enqueue --pool \(pool)")
        } else if ids.isEmpty {
          try await access.jobs.settle(missing.pool)
        }
      }
    }
  }
}
