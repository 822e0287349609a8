internal import Foundation
internal import Jobs

extension BrokerConformance {
  static var settleRules: [Rule] {
    [
      Rule("an acknowledged job does not come again") { try await $0.acknowledgedIsGone() },
      Rule("a job that is requeued comes again and says so") { try await $0.redeliversTheRequeued() },
      Rule("what is unsettled when the flow is rebuilt comes again and says so") {
        try await $0.redeliversTheUnsettled()
      },
      Rule("a job is settled once: what is said later does not count") { try await $0.settlesOnce() },
    ]
  }

  static var flowRules: [Rule] {
    [
      Rule("no more jobs are handed out than there is capacity for") { try await $0.respectsCapacity() },
      Rule("capacity zero stops the flow, and more resumes it") { try await $0.stopsAndResumes() },
      Rule("what waits in the queue is counted, what was handed out is not") { try await $0.countsWaiting() },
      Rule("subscribers of one pool share its jobs") { try await $0.sharesJobs() },
      Rule("a cancelled subscription ends, and what it took can still be settled") { try await $0.endsWhenCancelled() },
    ]
  }

  private func acknowledgedIsGone() async throws {
    let jobs = jobs(3)
    try await keep(jobs)
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    for delivery in try await reader.wait(for: 3) { delivery.acknowledge() }
    subscription.restart()
    let last = SampleJobs.bare()
    try await keep([last])
    try requireEqual(try await reader.wait(for: 4)[3].envelope, last, "the next job to arrive")
  }

  private func redeliversTheRequeued() async throws {
    let job = SampleJobs.full()
    try await keep([job])
    let reader = DeliveryReader(subscribe())
    try await reader.wait(for: 1)[0].requeue()
    let again = try await reader.wait(for: 2)[1]
    try requireEqual(again.envelope, job, "the job that was requeued")
    try require(again.redelivered, "a job that came again did not say so")
    again.acknowledge()
  }

  private func redeliversTheUnsettled() async throws {
    let jobs = jobs(3)
    try await keep(jobs)
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    let first = try await reader.wait(for: 3)
    first[1].acknowledge()
    subscription.restart()
    let again = try await reader.wait(for: 5).suffix(2)
    let expected = Set(first.compactMap(\.envelope?.id)).subtracting([first[1].envelope?.id].compactMap { $0 })
    try requireEqual(Set(again.compactMap(\.envelope?.id)), expected, "the jobs that came again")
    try require(again.allSatisfy(\.redelivered), "a job that came again did not say so")
    try require(again.allSatisfy(\.isHeld), "a job that came again is said not to be held")
    try require(!first[0].isHeld && !first[2].isHeld, "a job that was taken back is said to be held")
    for delivery in again { delivery.acknowledge() }
  }

  private func settlesOnce() async throws {
    try await keep(jobs(2))
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    for delivery in try await reader.wait(for: 2) {
      delivery.acknowledge()
      delivery.requeue()
    }
    subscription.cancel()
    try await reader.waitForEnd()
    try requireEqual(reader.deliveries.count, 2, "the number of deliveries")
    try await requireNothingLeft()
  }

  private func countsWaiting() async throws {
    try await keep(jobs(5))
    let subscription = subscribe(2)
    let reader = DeliveryReader(subscription)
    let taken = try await reader.wait(for: 2)
    try await waitUntil("three jobs are counted") { try await subscription.queuedCount() == 3 }
    subscription.setCapacity(10)
    let rest = try await reader.wait(for: 5).dropFirst(2)
    try await waitUntil("none is counted") { try await subscription.queuedCount() == 0 }
    for delivery in taken + rest { delivery.acknowledge() }
  }

  private func respectsCapacity() async throws {
    try await keep(jobs(10))
    let reader = DeliveryReader(subscribe(3))
    let taken = try await reader.wait(for: 3)
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 3, "the number of unsettled deliveries")
    taken[1].acknowledge()
    _ = try await reader.wait(for: 4)
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 4, "the number of deliveries after one was settled")
  }

  private func stopsAndResumes() async throws {
    let subscription = subscribe(0)
    let reader = DeliveryReader(subscription)
    try await keep(jobs(4))
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 0, "the number of deliveries with capacity 0")
    subscription.setCapacity(2)
    let taken = try await reader.wait(for: 2)
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 2, "the number of deliveries with capacity 2")
    subscription.setCapacity(0)
    try await roundTrip()
    for delivery in taken { delivery.acknowledge() }
    try await roundTrip()
    try requireEqual(reader.deliveries.count, 2, "the number of deliveries after the flow was stopped")
    subscription.setCapacity(10)
    for delivery in try await reader.wait(for: 4).suffix(2) { delivery.acknowledge() }
    subscription.cancel()
    try await reader.waitForEnd()
    try await requireNothingLeft()
  }

  private func sharesJobs() async throws {
    let jobs = jobs(40)
    let readers = [
      DeliveryReader(subscribe(5)) { $0.acknowledge() }, DeliveryReader(subscribe(5)) { $0.acknowledge() },
    ]
    try await keep(jobs)
    try await waitUntil("all jobs have come") { readers.map(\.deliveries.count).reduce(0, +) >= jobs.count }
    let ids = readers.flatMap(\.envelopes).map(\.id)
    try requireEqual(ids.count, jobs.count, "the number of deliveries")
    try requireEqual(Set(ids), Set(jobs.map(\.id)), "the jobs that came")
  }

  private func endsWhenCancelled() async throws {
    try await keep(jobs(2))
    let subscription = subscribe()
    let reader = DeliveryReader(subscription)
    let taken = try await reader.wait(for: 2)
    subscription.cancel()
    try await reader.waitForEnd()
    // Capacity asked for later does not bring it back to life.
    subscription.setCapacity(10)
    taken[0].acknowledge()
    taken[1].requeue()
    let next = DeliveryReader(subscribe())
    let again = try await next.wait(for: 1)
    try requireEqual(again.map { $0.envelope?.id }, [taken[1].envelope?.id], "what another subscriber got")
    try require(again[0].redelivered, "a job that came again did not say so")
    again[0].acknowledge()
    try await roundTrip()
    try requireEqual(next.deliveries.count, 1, "the number of its deliveries")
  }
}
