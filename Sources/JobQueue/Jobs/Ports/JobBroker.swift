package import Foundation

/// Where a job goes.
package enum JobDestination: Sendable, Equatable {
  /// The pool's queue.
  case pool(PoolName)
  /// A tier that keeps the job for its pause and then hands it to the pool.
  case retry(after: Duration, pool: PoolName)
  /// The pool's dead letters, with why it is one.
  case dead(pool: PoolName, DeadLetterInfo)
}

/// A job and where it goes.
package struct OutgoingJob: Sendable {
  /// The job as it is to be published; a retry carries the number of its next attempt already.
  package var envelope: JobEnvelope
  /// The queue it is for.
  package var destination: JobDestination

  /// Addresses a job; nothing is sent before ``JobBroker/enqueue(_:deadline:)``.
  package init(_ envelope: JobEnvelope, to destination: JobDestination) {
    self.envelope = envelope
    self.destination = destination
  }
}

/// What became of an enqueued job.
package enum EnqueueResult: Sendable, Equatable {
  /// The broker holds it.
  case enqueued
  /// The broker has no such pool; nothing was enqueued.
  case unroutable
  /// The broker could not be reached in time, or was full; nothing was enqueued.
  case unavailable
  /// It is unknown whether the broker holds it; enqueue it again under the same id and run.
  case inDoubt
}

/// A message from a queue of the broker.
package struct JobDelivery: Sendable {
  /// What the message held.
  package enum Content: Sendable {
    case job(JobEnvelope)
    /// No job could be read from the message's properties; the reason says why.
    case unreadable(reason: String)
  }

  /// The job, or why there is none in the message.
  package let content: Content
  /// The body as it came.
  package let body: Data
  /// True where some process was given the message before.
  package let redelivered: Bool
  /// Set on messages from a pool's dead letters.
  package let deadLetterInfo: DeadLetterInfo?
  private let settle: @Sendable (_ isAcknowledged: Bool) -> Void
  private let isStillHeld: @Sendable () -> Bool

  /// Made by a broker's adapter.
  ///
  /// - Parameters:
  ///   - isStillHeld: false once the broker has taken the unsettled message back; quick, for it is asked with locks held.
  ///   - settle: tells the broker: true to forget the message, false to put it back into its queue. The engine calls it
  ///     once.
  package init(
    content: Content, body: Data, redelivered: Bool, deadLetterInfo: DeadLetterInfo? = nil,
    isStillHeld: @escaping @Sendable () -> Bool = { true }, settle: @escaping @Sendable (_ isAcknowledged: Bool) -> Void
  ) {
    self.content = content
    self.body = body
    self.redelivered = redelivered
    self.deadLetterInfo = deadLetterInfo
    self.isStillHeld = isStillHeld
    self.settle = settle
  }

  /// True while this process holds the message. False once the broker has taken it back, as with a lost connection: it
  /// comes again, perhaps elsewhere, and settling this copy does nothing. It says nothing of a settled message.
  package var isHeld: Bool { isStillHeld() }

  /// The run of the job, where there is one in the message.
  package var jobRun: JobRun? { if case .job(let envelope) = content { envelope.jobRun } else { nil } }

  /// The broker may forget the message.
  package func acknowledge() { settle(true) }

  /// The message goes back to its queue, untouched.
  package func requeue() { settle(false) }
}

/// A pool's queue being consumed.
package protocol JobSubscription: Sendable {
  /// What arrives; for one reader. Ends after ``cancel()``.
  var deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable { get }
  /// True while the broker hands out jobs, or none are wanted.
  var isConsuming: Bool { get }
  /// How many jobs may be taken and not yet settled; 0 stops the flow.
  func setCapacity(_ capacity: Int)
  /// How many jobs wait in the queue, for a watch over the flow; nil where the queue does not exist. Throws while the
  /// broker cannot be asked.
  func queuedCount() async throws -> Int?
  /// Rebuilds the flow; what is unsettled comes again.
  func restart()
  /// Stops for good; what was taken can still be settled.
  func cancel()
}

/// The port to the message broker.
package protocol JobBroker: Sendable {
  /// Enqueues jobs and waits for the broker's word on each, in order, until the deadline.
  func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult]
  /// Consumes a pool's queue.
  func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription
  /// Consumes a pool's dead letters.
  func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription
  /// True while jobs can be enqueued.
  var isReady: Bool { get }
}
