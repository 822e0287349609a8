import Bookings
import Foundation
import Jobs
import JobsPostgres
import Messaging
import Postgres

/// One step of a timeline.
struct TraceEntry: Encodable, Hashable {
  let at: Date
  let event: String
  let detail: String
  @NullIfUnknown var jobId: String?

  /// The order of entries with equal times: first that a job was enqueued, last what became of it.
  private var rank: Int { event == "job enqueued" ? 0 : event.hasPrefix("job ") ? 2 : 1 }

  /// All entries about an id and the bookings and jobs it belongs to, oldest first; empty where the id is unknown.
  static func entries(of id: String, _ pool: PostgresConnectionPool) async throws -> [TraceEntry] {
    let features: [any TimelineSource] = [BookingTimeline(pool: pool), MessageTimeline(pool: pool)]
    let ofJobs = JobTimeline(pool: pool)
    var subjects = Set<UUID>()
    for feature in features { subjects.formUnion(try await feature.subjects(of: id)) }
    var entries = Set<TimelineEntry>()
    for feature in features { entries.formUnion(try await feature.entries(of: id, subjects: Array(subjects))) }
    // Each entry of a feature has the id of the job that wrote it; the timeline shows those jobs too.
    let jobs = Set(entries.compactMap(\.job) + (try await ofJobs.subjects(of: id)))
    entries.formUnion(try await ofJobs.entries(of: id, subjects: Array(jobs)))
    return entries.map(TraceEntry.init).sorted { ($0.at, $0.rank) < ($1.at, $1.rank) }
  }
}

extension TraceEntry {
  fileprivate init(_ entry: TimelineEntry) {
    self.init(at: entry.at, event: entry.what, detail: entry.detail, jobId: entry.job.map { "\(JobID($0))" })
  }
}
