internal import Foundation
internal import Jobs

extension BrokerConformance {
  static var settleRules: [Rule] {
    [
      Rule("an acknowledged job is not delivered again") { try await $0.deletesAcknowledged() },
      Rule("a requeued job is redelivered") { try await $0.redeliversRequeued() },
      Rule("unsettled jobs are redelivered after a restart") { try await $0.redeliversUnsettled() },
      Rule("a job is settled once, and a second call does nothing") { try await $0.settlesOnce() },
    ]
  }

  static var flowRules: [Rule] {
    [
      Rule("unsettled deliveries do not exceed the capacity") { try await $0.respectsCapacity() },
      Rule("capacity 0 stops delivery, and a larger one resumes it") { try await $0.stopsAndResumes() },
      Rule("the count has the queued jobs and not the delivered ones") { try await $0.countsQueued() },
      Rule("subscriptions of one pool share its jobs") { try await $0.sharesJobs() },
      Rule("a cancelled subscription ends, and its deliveries can still be settled") {
        try await $0.endsWhenCancelled()
      },
    ]
  }

  private func deletesAcknowledged() async throws {
    let jobs = jobs(3)
    try await enqueue(jobs)
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    for delivery in try await reader.wait(for: 3) { delivery.acknowledge() }
    subscription.restart()
    let last = SampleJobs.bare()
    try await enqueue([last])
    try requireEqual(try await reader.wait(for: 4)[3].envelope, last, "the next job to arrive")
  }

  private func redeliversRequeued() async throws {
    let job = SampleJobs.full()
    try await enqueue([job])
    let reader = DeliveryReader(subscribe())
    try await reader.wait(for: 1)[0].requeue()
    let again = try await reader.wait(for: 2)[1]
    try requireEqual(again.envelope, job, "the requeued job")
    try require(again.redelivered, "a redelivered job is not marked as redelivered")
    again.acknowledge()
  }

  private func redeliversUnsettled() async throws {
    let jobs = jobs(3)
    try await enqueue(jobs)
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    let first = try await reader.wait(for: 3)
    first[1].acknowledge()
    subscription.restart()
    let again = try await reader.wait(for: 5).suffix(2)
    let expected = Set(first.compactMap(\.envelope?.id)).subtracting([first[1].envelope?.id].compactMap { $0 })
    try requireEqual(Set(again.compactMap(\.envelope?.id)), expected, "the redelivered jobs")
    try require(again.allSatisfy(\.redelivered), "a redelivered job is not marked as redelivered")
    try require(again.allSatisfy(\.isHeld), "isHeld is false for a redelivered job")
    try require(!first[0].isHeld && !first[2].isHeld, "isHeld is true for a delivery that the broker has taken back")
    for delivery in again { delivery.acknowledge() }
  }

  private func settlesOnce() async throws {
    try await enqueue(jobs(2))
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    for delivery in try await reader.wait(for: 2) {
      delivery.acknowledge()
      delivery.requeue()
    }
    subscription.cancel()
    try await reader.waitForEnd()
    try requireEqual(reader.deliveries.count, 2, "the number of deliveries")
    try await requireEmpty()
  }

  private func countsQueued() async throws {
    try await enqueue(jobs(5))
    let subscription = subscribe(2)
    let reader = DeliveryReader(subscription)
    let first = try await reader.wait(for: 2)
    try await waitUntil("a count of 3") { try await subscription.queuedCount() == 3 }
    subscription.setCapacity(10)
    let rest = try await reader.wait(for: 5).dropFirst(2)
    try await waitUntil("a count of 0") { try await subscription.queuedCount() == 0 }
    for delivery in first + rest { delivery.acknowledge() }
  }

  private func respectsCapacity() async throws {
    try await enqueue(jobs(10))
    let reader = DeliveryReader(subscribe(3))
    let first = try await reader.wait(for: 3)
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 3, "the number of unsettled deliveries")
    first[1].acknowledge()
    _ = try await reader.wait(for: 4)
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 4, "the number of deliveries after one was settled")
  }

  private func stopsAndResumes() async throws {
    let subscription = subscribe(0)
    let reader = DeliveryReader(subscription)
    try await enqueue(jobs(4))
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 0, "the number of deliveries with capacity 0")
    subscription.setCapacity(2)
    let first = try await reader.wait(for: 2)
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 2, "the number of deliveries with capacity 2")
    subscription.setCapacity(0)
    try await roundTrip()
    for delivery in first { delivery.acknowledge() }
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 2, "the number of deliveries after capacity 0")
    subscription.setCapacity(10)
    for delivery in try await reader.wait(for: 4).suffix(2) { delivery.acknowledge() }
    subscription.cancel()
    try await reader.waitForEnd()
    try await requireEmpty()
  }

  private func sharesJobs() async throws {
    let jobs = jobs(40)
    let readers = [
      DeliveryReader(subscribe(5)) { $0.acknowledge() }, DeliveryReader(subscribe(5)) { $0.acknowledge() },
    ]
    try await enqueue(jobs)
    try await waitUntil("all jobs are delivered") { readers.map(\.deliveries.count).reduce(0, +) >= jobs.count }
    let ids = readers.flatMap(\.envelopes).map(\.id)
    try requireEqual(ids.count, jobs.count, "the number of deliveries")
    try requireEqual(Set(ids), Set(jobs.map(\.id)), "the delivered jobs")
  }

  private func endsWhenCancelled() async throws {
    try await enqueue(jobs(2))
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    let first = try await reader.wait(for: 2)
    subscription.cancel()
    try await reader.waitForEnd()
    // A later capacity does not resume a cancelled subscription.
    subscription.setCapacity(10)
    first[0].acknowledge()
    first[1].requeue()
    let next = DeliveryReader(subscribe())
    let again = try await next.wait(for: 1)
    try requireEqual(again.map { $0.envelope?.id }, [first[1].envelope?.id], "what another subscription got")
    try require(again[0].redelivered, "a redelivered job is not marked as redelivered")
    again[0].acknowledge()
    try await roundTrip()
    try requireEqual(next.deliveries.count, 1, "the number of its deliveries")
  }
}
