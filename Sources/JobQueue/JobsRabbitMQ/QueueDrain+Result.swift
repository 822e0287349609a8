package import Jobs

extension QueueDrain {
  package struct Result: Sendable, Equatable {
    /// How many went to which pool.
    package var moved: [PoolName: Int] = [:]
    /// How many were left in place, by reason.
    package var skipped: [ReroutePlan.Reason: Int] = [:]
    /// What ended it before the queue was empty, as a sentence; nil: nothing.
    package var failure: String?

    package init() {}

    package var movedCount: Int { moved.values.reduce(0, +) }
    package var skippedCount: Int { skipped.values.reduce(0, +) }

    /// Adds the counts; the first failure stays.
    package static func += (left: inout Result, right: Result) {
      left.moved.merge(right.moved, uniquingKeysWith: +)
      left.skipped.merge(right.skipped, uniquingKeysWith: +)
      left.failure = left.failure ?? right.failure
    }
  }
}
