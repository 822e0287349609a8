internal import Jobs

struct InMemorySubscription: JobSubscription {
  let broker: InMemoryBroker
  let id: Int
  let stream: AsyncStream<[JobDelivery]>

  var deliveries: any AsyncSequence<[JobDelivery], Never> & Sendable { stream }
  var isConsuming: Bool { broker.isReady }

  func setCapacity(_ capacity: Int) { broker.change(id) { $0.capacity = capacity } }

  func queuedCount() async throws -> Int? {
    guard broker.isReady else { throw BrokerUnavailable() }
    return broker.queuedCount(id)
  }

  func restart() { broker.restart(id) }

  func cancel() {
    broker.change(id) { consumer in
      consumer.isCancelled = true
      consumer.output.finish()
    }
  }

  private struct BrokerUnavailable: Error {}
}
