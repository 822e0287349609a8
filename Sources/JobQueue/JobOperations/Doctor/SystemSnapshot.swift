internal import JobConfiguration
package import Jobs

/// What the servers answered when each was asked from outside, without judgement; ``DoctorReport`` judges it.
package struct SystemSnapshot: Sendable {
  package enum ProbeResult<Value: Sendable>: Sendable {
    case answered(Value)
    /// It did not answer, or refused; a sentence that is safe to show.
    case failed(String)
    /// It was not asked; another part of the snapshot says why.
    case skipped(String)

    /// Nil: there was no answer.
    package var value: Value? { if case .answered(let value) = self { value } else { nil } }
  }

  package var settings: Settings
  package var broker: ProbeResult<Broker>
  package var store: ProbeResult<Store>
  /// Host and port; nil: Redis is not configured.
  package var redis: ProbeResult<String?>
  /// Made only where ``stalledPools`` names pools.
  package var secondProbe: SecondProbe?

  package init(
    settings: Settings, broker: ProbeResult<Broker>, store: ProbeResult<Store>, redis: ProbeResult<String?>
  ) {
    self.settings = settings
    self.broker = broker
    self.store = store
    self.redis = redis
  }

  /// Pools that have queued jobs and workers, none of which runs a job. That may be chance: a second probe decides.
  package var stalledPools: [PoolName] {
    guard let nodes = store.value?.contents?.nodes, let queued = broker.value?.queued else { return [] }
    return (settings.configuration?.pools ?? []).map(\.name).filter { pool in
      let activity = PoolActivity(of: pool, on: nodes)
      return queued[pool] ?? 0 > 0 && activity.localConcurrency > 0 && activity.running == 0
    }
  }
}
