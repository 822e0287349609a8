import ArgumentParser
import Foundation
import Jobs
import JobsPostgres
import Messaging
import Postgres

struct Trace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell a thing's story in order.",
    discussion: "Takes the id of a booking, a job or a message, a wamid, or the key of a provider's event.")

  @Argument(help: "The id.")
  var id: String
  @Flag(help: "Print JSON.")
  var json = false

  /// One line of a story.
  struct Entry: Encodable, Hashable {
    let at: Date
    let what: String
    let detail: String
    let job: String?

    /// Of what bears one time: first that a job was enqueued, last that it was done.
    var rank: Int { what == "job enqueued" ? 0 : what.hasPrefix("job ") ? 2 : 1 }
  }

  private struct Unknown: Error, CustomStringConvertible {
    let id: String
    var description: String { "nothing is known under the id \(id)" }
  }

  func run() async throws {
    let pool = try AppBuilder().pool()
    let lines = try await Self.lines(of: id, pool)
    await pool.close()
    guard !lines.isEmpty else { throw Unknown(id: id) }
    if json { return try printJSON(lines) }
    print(Self.text(lines).joined(separator: "\n"))
  }

  /// The story in 80 columns or so: jobs have short names, which are explained at the end.
  private static func text(_ lines: [Entry]) -> [String] {
    var names: [String: String] = [:]
    for job in lines.compactMap(\.job) where names[job] == nil { names[job] = "J\(names.count + 1)" }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    let whatWidth = lines.map(\.what.count).max() ?? 0
    let nameWidth = names.values.map(\.count).max() ?? 0
    func padded(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
    var day = ""
    var text: [String] = []
    for line in lines {
      let stamp = line.at.formatted(style)
      if stamp.prefix(10) != day {
        day = String(stamp.prefix(10))
        text.append("\(day), UTC")
      }
      let name = line.job.flatMap { names[$0] } ?? ""
      let time = stamp.dropFirst(11).dropLast()
      text.append("  \(time)  \(padded(name, nameWidth))  \(padded(line.what, whatWidth))  \(line.detail)")
    }
    text += names.sorted { $0.value.localizedStandardCompare($1.value) == .orderedAscending }
      .map { "\(padded($0.value, nameWidth))  job \($0.key)" }
    return text
  }

  static func lines(of id: String, _ pool: PostgresConnectionPool) async throws -> [Entry] {
    let stories = FeatureTimeline(pool: pool)
    let findings = try await stories.find(id)
    let entries = Set(try await stories.story(of: findings.bookings).map(Entry.init) + findings.entries.map(Entry.init))
    let jobs = Set(entries.compactMap(\.job).compactMap { JobID($0) } + (JobID(id).map { [$0] } ?? []))
    let ofJobs = try await JobTimeline(pool: pool).entries(of: Array(jobs)).map(Entry.init)
    return (Array(entries) + ofJobs).sorted { ($0.at, $0.rank) < ($1.at, $1.rank) }
  }
}

extension Trace.Entry {
  fileprivate init(_ step: TimelineEntry) {
    self.init(
      at: step.at, what: step.what, detail: step.detail, job: step.job.map { "\(JobID($0))" })
  }

  fileprivate init(_ step: JobTimeline.Entry) {
    self.init(at: step.at, what: step.what, detail: step.detail, job: "\(step.job)")
  }
}
