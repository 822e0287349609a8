/// What one process does: accept requests, run workers, or both.
struct ProcessRoles: OptionSet {
  let rawValue: Int

  static let ingest = ProcessRoles(rawValue: 1)
  static let workers = ProcessRoles(rawValue: 2)
}
