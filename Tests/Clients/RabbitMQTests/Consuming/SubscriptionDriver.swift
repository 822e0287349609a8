import TestServers

@testable import RabbitMQ

/// A subscription's state and a driver for it, with a broker that accepts everything.
struct SubscriptionDriver {
  var state: SubscriptionState
  var random: SeededRandom
  var generation = 0
  /// The consumers at the broker.
  var consumers: [SubscriptionState.Consumer] = []

  init(prefetch: Int, seed: UInt64 = 1) {
    state = SubscriptionState(queue: "q", prefetch: prefetch)
    random = SeededRandom(seed: seed)
  }

  mutating func attach() {
    generation = state.nextGeneration()
    consumers = []
    state.handle(.attached(generation: generation))
  }

  mutating func step() -> SubscriptionState.Step? { state.nextStep(using: &random) }

  /// Takes the next step, which must be to create a consumer, and leaves it unconfirmed.
  mutating func begin() throws -> SubscriptionState.Consumer {
    guard case .create(let consumer)? = step() else { throw TestError(description: "no consumer is asked for") }
    return consumer
  }

  /// Performs all steps and returns them.
  mutating func work() -> [SubscriptionState.Step] {
    var steps: [SubscriptionState.Step] = []
    while let next = step() {
      steps.append(next)
      switch next {
      case .create(let consumer):
        consumers.append(consumer)
        state.handle(.consumerCreated(tag: consumer.tag))
      case .cancel(let tag):
        consumers.removeAll { $0.tag == tag }
        state.handle(.consumerCancelled(tag: tag))
      case .rebuild: return steps
      case .finish: break
      }
    }
    return steps
  }

  mutating func setPrefetch(_ prefetch: Int) { state.handle(.prefetchChanged(prefetch: prefetch)) }
}
