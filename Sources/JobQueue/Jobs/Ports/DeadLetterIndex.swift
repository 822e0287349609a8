/// The port to the dead letters that operators see.
package protocol DeadLetterIndex: Sendable {
  /// Writes letters and their receipts together. The letter of a run that was completed or cancelled is dropped.
  /// Recording a letter again changes nothing. Where others hold one of the jobs for more than a moment this throws
  /// ``JobStoreError/contention``, and nothing is recorded: the caller isolates that letter.
  func record(_ letters: [DeadLetter]) async throws
  /// Open letters by cause, latest first.
  func groups() async throws -> [DeadLetterGroup]
  /// Open letters, latest first.
  func letters(_ filter: DeadLetterFilter) async throws -> [DeadLetter]
  /// Enqueues the jobs of open letters again, each as its next run; `who` goes into the audit.
  func retry(_ filter: DeadLetterFilter, by who: String) async throws -> RedriveResult
  /// Archives open letters; returns how many. `who` goes into the audit.
  func archive(_ filter: DeadLetterFilter, by who: String) async throws -> Int
}

/// Selects dead letters; all conditions that are set must hold. By default all letters, at most 100.
package struct DeadLetterFilter: Sendable {
  /// The pool the job died in; nil: any.
  package var pool: PoolName?
  /// The cause, as ``DeadLetterGroup/fingerprint``; nil: any.
  package var fingerprint: String?
  /// These jobs, all their runs; nil: any, an empty list: none.
  package var ids: [JobID]?
  /// At most this many.
  package var limit: Int
  /// False: the letters' bodies are left out, and empty. Thousands of bodies would fill the memory.
  package var readsBodies = true

  package init(pool: PoolName? = nil, fingerprint: String? = nil, ids: [JobID]? = nil, limit: Int = 100) {
    self.pool = pool
    self.fingerprint = fingerprint
    self.ids = ids
    self.limit = limit
  }
}

package struct RedriveResult: Sendable, Equatable, Codable {
  /// Jobs that were enqueued again as their next run.
  package var retried = 0
  /// Letters left as they are: unreadable, completed in another run, or no longer open.
  package var skipped = 0

  package init(retried: Int = 0, skipped: Int = 0) {
    self.retried = retried
    self.skipped = skipped
  }
}
