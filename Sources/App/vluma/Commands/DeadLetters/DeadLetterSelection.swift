import ArgumentParser
import Jobs

/// Which dead letters a command concerns.
struct DeadLetterSelection: ParsableArguments {
  @Option(help: "Only this pool's.")
  var pool: String?
  @Option(help: "Only this group; see vluma dead groups.")
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

/// A selection that must be narrowed or confirmed, for commands that change dead letters.
struct RequiredDeadLetterSelection: ParsableArguments {
  @OptionGroup var selection: DeadLetterSelection
  @Argument(help: "Job ids.")
  var ids: [String] = []
  @Flag(help: "All dead letters, where neither ids, --pool nor --fingerprint are given.")
  var all = false

  func filter() throws -> DeadLetterFilter {
    guard all || !ids.isEmpty || selection.pool != nil || selection.fingerprint != nil else {
      throw ValidationError("Name job ids, --pool, --fingerprint, or --all.")
    }
    return selection.filter(ids.isEmpty ? nil : try ids.map(JobID.init(argument:)))
  }
}

extension JobID {
  init(argument: String) throws {
    guard let id = JobID(argument) else { throw ValidationError("\"\(argument)\" is not a job id (a UUID).") }
    self = id
  }
}
