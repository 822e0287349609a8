internal import JobConfiguration
internal import Jobs

/// Checks one snapshot; the checks are in extensions.
struct CheckRunner {
  let snapshot: SystemSnapshot
  let configuration: JobConfiguration?
  let broker: SystemSnapshot.Broker?
  let contents: SystemSnapshot.StoreContents?
  /// Which pool does which kind.
  let routes: [JobKind: PoolName]
  /// The names of queues.yaml's pools.
  let known: Set<PoolName>
  /// The live worker processes, if they are known.
  let workers: [NodeReport]

  init(_ snapshot: SystemSnapshot) {
    self.snapshot = snapshot
    configuration = snapshot.settings.configuration
    broker = snapshot.broker.value
    contents = snapshot.store.value?.contents
    workers = contents?.nodes.filter(\.isWorker) ?? []
    routes = configuration?.routes ?? [:]
    known = Set((configuration?.pools ?? []).map(\.name))
  }

  func result(of check: DoctorCheck) -> CheckResult {
    switch check {
    case .settings: settings()
    case .rabbitMQ: rabbitMQ()
    case .postgreSQL: postgreSQL()
    case .redis: redis()
    case .nodes: nodes()
    case .descriptors: descriptors()
    case .flow: flow()
    case .missingJobs: missingJobs()
    case .removedPools: removedPools()
    case .unroutable: unroutable()
    case .kinds: kinds()
    case .outbox: outbox()
    case .scheduled: scheduled()
    case .poolSettings: poolSettings()
    case .deadLetters: deadLetters()
    }
  }

  /// A source that checks need.
  enum Source { case file, broker, store }

  /// Why a source could not be read, for the first source that could not; nil: all were read.
  func unknownReason(_ sources: Source...) -> String? {
    for source in sources {
      switch source {
      case .file where configuration == nil: return "\(snapshot.settings.file) cannot be used"
      case .broker where broker == nil: return "RabbitMQ cannot be asked"
      case .store where contents == nil && snapshot.store.value != nil: return "the database is not up to date"
      case .store where contents == nil: return "PostgreSQL cannot be asked"
      default: continue
      }
    }
    return nil
  }
}
