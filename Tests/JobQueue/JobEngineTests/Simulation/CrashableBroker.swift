import Jobs
import JobsTesting

/// A broker with random delays, which a crashed node cannot reach.
struct CrashableBroker: JobBroker {
  let broker: InMemoryBroker
  let crashSwitch: CrashSwitch

  var isReady: Bool { !crashSwitch.hasCrashed && broker.isReady }

  func enqueue(_ jobs: [OutgoingJob], deadline: ContinuousClock.Instant) async -> [EnqueueResult] {
    guard (try? await crashSwitch.delayOrFail()) != nil else { return jobs.map { _ in .unavailable } }
    let outcomes = await broker.enqueue(jobs, deadline: deadline)
    guard (try? await crashSwitch.delayOrFail()) != nil else { return jobs.map { _ in .inDoubt } }
    return outcomes
  }

  func subscribe(pool: PoolName, capacity: Int) -> any JobSubscription {
    CrashableSubscription(broker.subscribe(pool: pool, capacity: capacity), crashSwitch)
  }
  func subscribeToDeadLetters(of pool: PoolName, capacity: Int) -> any JobSubscription {
    CrashableSubscription(broker.subscribeToDeadLetters(of: pool, capacity: capacity), crashSwitch)
  }
}
