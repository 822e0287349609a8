/// A consumer of one pool's queue, or of its dead letters.
package protocol JobSubscription: Sendable {
  /// The deliveries; for one reader. Ends after ``cancel()``.
  var deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable { get }
  /// True while the broker delivers jobs, or the capacity is 0.
  var isConsuming: Bool { get }
  /// How many deliveries may be unsettled at a time; 0 stops delivery.
  func setCapacity(_ capacity: Int)
  /// How many jobs are in the queue and not delivered; nil: the queue does not exist. Throws while the broker cannot be
  /// reached.
  func queuedCount() async throws -> Int?
  /// Consumes anew; what is unsettled is delivered again.
  func restart()
  /// Stops delivery for good; what was delivered can still be settled.
  func cancel()
}
