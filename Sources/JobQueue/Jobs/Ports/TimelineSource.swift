package import Foundation

/// One step of what happened to a booking, a message or a job.
package struct TimelineEntry: Sendable, Hashable {
  /// When it was stored; effects of one transaction have its time.
  package let at: Date
  /// What happened, in a few words.
  package let what: String
  /// A reason or an id. Never personal data: of a wamid only the end, for it contains a telephone number.
  package let detail: String
  /// The job that did it; nil: none.
  package let job: UUID?

  package init(at: Date, what: String, detail: String, job: UUID?) {
    self.at = at
    self.what = what
    self.detail = detail
    self.job = job
  }
}

/// The port through which a feature, or the job store, adds its part to the timeline of an id.
///
/// A timeline is put together in two steps, because an id of one source (a message's) leads to subjects that others
/// know more about (its booking).
package protocol TimelineSource: Sendable {
  /// The subjects that an id belongs to, such as a message's booking; empty where the source does not know the id.
  func subjects(of id: String) async throws -> [UUID]

  /// What happened to the subjects, and what else the source knows of the id; in no particular order.
  ///
  /// - Parameter subjects: found by all sources; a source ignores those that it does not know.
  func entries(of id: String, subjects: [UUID]) async throws -> [TimelineEntry]
}
