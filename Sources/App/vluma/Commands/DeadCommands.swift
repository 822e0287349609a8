import ArgumentParser
import Foundation
import Jobs
import JobsPostgres
import Postgres

struct Dead: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at dead jobs, run them again, or give them up.",
    subcommands: [Groups.self, List.self, Show.self, Retry.self, Archive.self])

  /// Which letters are meant.
  struct DeadLetterSelection: ParsableArguments {
    @Option(help: "Only this pool's.")
    var pool: String?
    @Option(help: "Only those of one cause; see vluma dead groups.")
    var fingerprint: String?
    @Option(help: "At most this many.")
    var limit: Int = 100

    func validate() throws {
      guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be a number from 1 to 10000.") }
    }

    func filter(_ ids: [JobID]?) -> DeadLetterFilter {
      DeadLetterFilter(pool: pool.map(PoolName.init(rawValue:)), fingerprint: fingerprint, ids: ids, limit: limit)
    }
  }

  /// Letters that something is to be done with: they must be named in some way.
  struct RequiredSelection: ParsableArguments {
    @OptionGroup var selection: DeadLetterSelection
    @Argument(help: "Job ids.")
    var ids: [String] = []
    @Flag(help: "All that match, where neither ids, --pool nor --fingerprint say which.")
    var all = false

    func filter() throws -> DeadLetterFilter {
      guard all || !ids.isEmpty || selection.pool != nil || selection.fingerprint != nil else {
        throw ValidationError("Say which: ids, --pool, --fingerprint, or --all.")
      }
      return selection.filter(ids.isEmpty ? nil : try Dead.ids(ids))
    }
  }

  struct Groups: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Dead jobs by cause.")
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
      let groups = try await Dead.index { try await $0.groups() }
      if json { return try printJSON(groups) }
      var table = TextTable(header: ["FINGERPRINT", "COUNT", "LATEST", "KIND", "REASON"])
      for group in groups {
        table.add([group.fingerprint, "\(group.count)", Dead.time(group.lastAt), group.kind, group.reason.rawValue])
      }
      print(groups.isEmpty ? "No dead jobs." : table.lines().joined(separator: "\n"))
      for group in groups { print("\(group.fingerprint): \(group.detail)") }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Dead jobs, latest first.")
    @OptionGroup var selection: DeadLetterSelection
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
      let letters = try await Dead.index { try await $0.letters(selection.filter(nil)) }
      if json { return try printJSON(letters.map(Dead.Document.init)) }
      var table = TextTable(header: ["JOB", "DIED", "KIND", "REASON", "ATTEMPTS"])
      for letter in letters {
        table.add([
          "\(letter.jobRun)", Dead.time(letter.deadLetterInfo.at), letter.envelope?.kind.rawValue ?? "-",
          letter.deadLetterInfo.reason.rawValue, "\(letter.deadLetterInfo.attempts)",
        ])
      }
      print(letters.isEmpty ? "No dead jobs." : table.lines().joined(separator: "\n"))
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One dead job, as JSON.")
    @Argument(help: "The job's id.")
    var id: String
    @Flag(help: "Print the body too. It may hold personal data.")
    var body = false

    func run() async throws {
      let ids = try Dead.ids([id])
      guard let letter = try await Dead.index({ try await $0.letters(DeadLetterFilter(ids: ids)) }).first else {
        throw NotFound(id: id)
      }
      var document = Document(letter)
      if body { document.body = String(decoding: letter.body, as: UTF8.self) }
      try printJSON(document)
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run dead jobs again, each as its next run.")
    @OptionGroup var choice: RequiredSelection

    func run() async throws {
      let filter = try choice.filter()
      let result = try await Dead.index { try await $0.retry(filter, by: operatorName()) }
      print("\(result.retried) retried, \(result.refused) refused (unreadable, or done in another run)")
      if result.retried == 0 { throw ExitCode.failure }
    }
  }

  struct Archive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give dead jobs up.")
    @OptionGroup var choice: RequiredSelection

    func run() async throws {
      let filter = try choice.filter()
      let count = try await Dead.index { try await $0.archive(filter, by: operatorName()) }
      print("\(count) archived")
      if count == 0 { throw ExitCode.failure }
    }
  }

  struct NotFound: Error, CustomStringConvertible {
    let id: String
    var description: String { "no open dead job has the id \(id)" }
  }

  /// A letter for people and programs. Without the body: that may hold personal data.
  struct Document: Encodable {
    let job: String
    let run: Int
    let kind: String?
    let pool: String
    let reason: DeadLetterReason
    let detail: String
    let fingerprint: String
    let attempts: Int
    let diedAt: Date
    let enqueuedAt: Date?
    var body: String?

    init(_ letter: DeadLetter) {
      job = "\(letter.jobRun.id)"
      run = letter.jobRun.run
      kind = letter.envelope?.kind.rawValue
      pool = letter.deadLetterInfo.pool.rawValue
      reason = letter.deadLetterInfo.reason
      detail = letter.deadLetterInfo.detail
      fingerprint = letter.deadLetterInfo.fingerprint
      attempts = letter.deadLetterInfo.attempts
      diedAt = letter.deadLetterInfo.at
      enqueuedAt = letter.envelope?.enqueuedAt
    }
  }

  private static func index<Value>(_ body: (PostgresDeadLetterIndex) async throws -> Value) async throws -> Value {
    let pool = try AppBuilder().pool()
    let value = try await body(PostgresDeadLetterIndex(pool: pool))
    await pool.close()
    return value
  }

  private static func ids(_ texts: [String]) throws -> [JobID] {
    try texts.map { text in
      guard let id = JobID(text) else { throw ValidationError("\"\(text)\" is no job id (a UUID).") }
      return id
    }
  }

  private static func time(_ date: Date) -> String { date.formatted(.iso8601) }
}
