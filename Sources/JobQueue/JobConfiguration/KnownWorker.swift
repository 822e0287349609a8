package import Jobs

/// What a registered worker can do; queues.yaml is checked against it.
package struct KnownWorker: Sendable {
  /// Must be in exactly one pool of the file.
  package let kind: JobKind
  /// True for a ``BatchWorker``: only such a worker heeds its pool's `batch`.
  package let takesBatches: Bool
  /// Its pool's `timeout` must be no shorter.
  package let minimumTimeout: Duration

  package init(kind: JobKind, takesBatches: Bool, minimumTimeout: Duration = .zero) {
    self.kind = kind
    self.takesBatches = takesBatches
    self.minimumTimeout = minimumTimeout
  }
}
