/// One run of a job. Run 1 is the first; each retry by an operator is one more. Each run has at most one receipt.
public struct JobRun: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The job's id.
  public let id: JobID
  /// 1 or more.
  public let run: Int

  /// A run of a job; the first by default.
  public init(id: JobID, run: Int = 1) {
    self.id = id
    self.run = run
  }

  /// The id alone for run 1, otherwise followed by the run: `<id>#2`. The form in logs and audit rows.
  public var description: String { run == 1 ? "\(id)" : "\(id)#\(run)" }
}
