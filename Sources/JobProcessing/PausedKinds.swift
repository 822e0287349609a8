internal import Jobs
internal import Synchronization

/// The kinds of a pool's jobs that an operator has paused, as the allocator last read them.
final class PausedKinds: Sendable {
  private struct State {
    var kinds: Set<JobKind> = []
    /// The parked jobs of all other kinds have been let go.
    var isSettled = false
  }
  private let state = Mutex(State())

  func contains(_ kind: JobKind) -> Bool { state.withLock { $0.kinds.contains(kind) } }

  /// All of them.
  var all: Set<JobKind> { state.withLock { $0.kinds } }

  /// True where jobs may be parked that are paused no longer.
  var isSettled: Bool { state.withLock { $0.isSettled } }

  /// Sets the kinds.
  func set(_ kinds: Set<JobKind>) {
    state.withLock { if $0.kinds != kinds { $0 = State(kinds: kinds) } }
  }

  /// Another one may be.
  func unsettle() { state.withLock { $0.isSettled = false } }

  /// Those jobs have been let go.
  func settled(_ kinds: Set<JobKind>) { state.withLock { if $0.kinds == kinds { $0.isSettled = true } } }
}
