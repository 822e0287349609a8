import ClientLoop
import Jobs

/// A subscription that settles nothing once its node has crashed.
struct CrashableSubscription: JobSubscription {
  private let subscription: any JobSubscription
  private let crashSwitch: CrashSwitch
  let deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable

  init(_ subscription: any JobSubscription, _ crashSwitch: CrashSwitch) {
    self.subscription = subscription
    self.crashSwitch = crashSwitch
    let (stream, output) = AsyncStream.makeStream(of: [JobDelivery].self)
    deliveries = stream
    let incoming = subscription.deliveries
    Task(executorPreference: TimeSource.value.executor) {
      for await batch in incoming {
        output.yield(
          batch.map { delivery in
            JobDelivery(
              content: delivery.content, body: delivery.body, redelivered: delivery.redelivered,
              deadLetterInfo: delivery.deadLetterInfo, isStillHeld: { delivery.isHeld }
            ) { isAcknowledged in
              if crashSwitch.hasCrashed { return }
              if isAcknowledged { delivery.acknowledge() } else { delivery.requeue() }
            }
          })
      }
      output.finish()
    }
  }

  var isConsuming: Bool { !crashSwitch.hasCrashed && subscription.isConsuming }
  func setCapacity(_ capacity: Int) { if !crashSwitch.hasCrashed { subscription.setCapacity(capacity) } }
  func queuedCount() async throws -> Int? { try await subscription.queuedCount() }
  func restart() { if !crashSwitch.hasCrashed { subscription.restart() } }
  /// Not guarded by the crash: this is how the broker learns that the node is gone.
  func cancel() { subscription.cancel() }
}
