internal import ClientLoop
internal import Jobs
internal import Synchronization

/// The kinds of a pool's jobs that an operator has paused, as the allocator last read them, and whether the parked jobs
/// of all other kinds have been unparked.
final class PausedKinds: Sendable {
  /// Parked jobs of all kinds but these are to be unparked.
  struct UnparkRequest: Sendable {
    let pausedKinds: Set<JobKind>
    fileprivate let revision: Int
  }

  private struct State {
    var kinds: Set<JobKind> = []
    /// Raised by each change that may leave a job parked whose kind is not paused.
    var revision = 1
    var unparked = 0
    var unparkedAt: ContinuousClock.Instant?
  }
  private let state = Mutex(State())

  /// How often unparking is repeated: a node that read a pause late, and then lost PostgreSQL, may park a job after all
  /// others have unparked theirs.
  private static let recheckInterval = Duration.seconds(60)

  func contains(_ kind: JobKind) -> Bool { state.withLock { $0.kinds.contains(kind) } }

  /// What to unpark now; nil: nothing is pending.
  func pendingUnpark(now: ContinuousClock.Instant) -> UnparkRequest? {
    state.withLock { state in
      let isFresh = state.unparkedAt.map { now < $0 + Self.recheckInterval } ?? false
      if state.unparked == state.revision, isFresh { return nil }
      return UnparkRequest(pausedKinds: state.kinds, revision: state.revision)
    }
  }

  /// Records that the request was carried out. A later change stays pending.
  func unparked(_ pendingUnpark: UnparkRequest, at now: ContinuousClock.Instant) {
    state.withLock { state in
      state.unparked = pendingUnpark.revision
      state.unparkedAt = now
    }
  }

  func set(_ kinds: Set<JobKind>) {
    state.withLock { state in
      guard state.kinds != kinds else { return }
      state.kinds = kinds
      state.revision += 1
    }
  }

  /// A job was parked just now; true where its kind is no longer paused, so that it must be unparked.
  @discardableResult
  func didPark(_ kind: JobKind) -> Bool {
    state.withLock { state in
      guard !state.kinds.contains(kind) else { return false }
      state.revision += 1
      return true
    }
  }
}
