import ArgumentParser
import Foundation
import JobOperations
import Jobs
import JobsPostgres

extension MissingCommand {
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Missing jobs by pool, the oldest first.",
      discussion: """
        Listed are the recorded jobs that were accepted before jobs began to be missing and have not ended. Some of them \
        may be running or about to be retried.
        """)

    @OptionGroup var selection: Selection
    @Option(help: "At most this many of each pool.")
    var limit = 100
    @Flag(help: "Print JSON, with the senders' own ids of jobs without a body. WhatsApp's contain telephone numbers.")
    var json = false

    func validate() throws {
      guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be a number from 1 to 10000.") }
    }

    private struct Document: Encodable {
      struct Job: Encodable {
        let jobId: String
        let run: Int
        let kind: String
        let acceptedAt: Date
        let hasBody: Bool
        @NullIfUnknown var source: String?
        let eventIds: [String]
      }

      let pool: String
      let count: Int
      let since: Date
      let jobs: [Job]
    }

    func run() async throws {
      let (pools, unknownReason) = try await MissingCommand.withAccess { access in
        var pools: [(missing: MissingJobs, records: [PostgresMissingJobs.Record])] = []
        for missing in access.missing(selection) {
          pools.append(
            (missing, try await access.jobs.records(of: missing.pool, before: missing.since, limit: limit)))
        }
        return (pools, access.unknownReason)
      }
      if json {
        try printJSON(pools.map { document($0.missing, $0.records) })
      } else {
        for (missing, records) in pools { table(missing, records) }
        if pools.isEmpty, unknownReason == nil { print("No jobs are missing.") }
      }
      if let unknownReason { throw NotKnown(description: unknownReason) }
    }

    private func document(_ missing: MissingJobs, _ records: [PostgresMissingJobs.Record]) -> Document {
      Document(
        pool: missing.pool.rawValue, count: missing.count, since: missing.since,
        jobs: records.map {
          Document.Job(
            jobId: "\($0.jobRun.id)", run: $0.jobRun.run, kind: $0.kind.rawValue, acceptedAt: $0.acceptedAt,
            hasBody: $0.hasBody, source: $0.source, eventIds: $0.eventIDs)
        })
    }

    private func table(_ missing: MissingJobs, _ records: [PostgresMissingJobs.Record]) {
      print(
        "\(missing.pool): at least \(counted(missing.count, "job")) missing since \(missing.since.formatted(.iso8601))")
      var table = TextTable(header: ["JOB", "ACCEPTED", "KIND"])
      for record in records {
        let time = record.acceptedAt.formatted(.iso8601).dropFirst(5).dropLast().replacing("T", with: " ")
        table.add(["\(record.jobRun)", String(time), record.kind.rawValue + (record.hasBody ? "" : "*")])
      }
      if !records.isEmpty { print(table.lines().joined(separator: "\n")) }
      if records.isEmpty { print("None of them was recorded: they were enqueued while PostgreSQL was away or slow.") }
      if records.count == limit { print("The oldest \(limit) are shown; --limit shows more.") }
      if records.contains(where: { !$0.hasBody }) {
        print("* without its body: ask its sender for it; --json has the ids.")
      }
      print("")
    }
  }
}
