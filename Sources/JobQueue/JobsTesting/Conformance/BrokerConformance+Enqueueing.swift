internal import Foundation
internal import Jobs

extension BrokerConformance {
  static var enqueueRules: [Rule] {
    [
      Rule("a job arrives as it was enqueued, for the first time") { try await $0.deliversUnchanged() },
      Rule("a large body arrives byte for byte") { try await $0.deliversLargeBodies() },
      Rule("a job for a pool that does not exist is unroutable") { try await $0.refusesUnknownPools() },
      Rule("each job of many has its own outcome, in order") { try await $0.answersInOrder() },
      Rule("a broker that keeps jobs is ready") { try await $0.isReady() },
      Rule("a retried job returns to its pool, unchanged and as new") { try await $0.returnsRetries() },
      Rule("retried jobs of several pools return each to its own") { try await $0.returnsRetriesToTheirPools() },
      Rule("a dead job comes with its dead letter info, to the dead letters alone") { try await $0.keepsDeadLetters() },
      Rule("a message that could not be read is buried with its body") { try await $0.keepsUnreadableMessages() },
    ]
  }

  private func deliversUnchanged() async throws {
    let jobs = [SampleJobs.full(run: 3, attempt: 5), SampleJobs.bare()]
    try await keep(jobs)
    let deliveries = try await DeliveryReader(subscribe()).wait(for: 2)
    let arrived = deliveries.compactMap(\.envelope)
    for job in jobs { try requireEqual(arrived.first { $0.id == job.id }, job, "the job that arrived") }
    for delivery in deliveries {
      try requireEqual(delivery.body, delivery.envelope?.body, "the delivery's body")
      try require(!delivery.redelivered, "a job that came for the first time said it was redelivered")
      try requireEqual(delivery.deadLetterInfo, nil, "the dead letter info of a job that is not dead")
      delivery.acknowledge()
    }
  }

  private func deliversLargeBodies() async throws {
    var job = SampleJobs.full()
    job.body = Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try await keep([job])
    let arrived = try await DeliveryReader(subscribe()).wait(for: 1)
    try require(arrived[0].body == job.body, "a body of a megabyte was changed on its way")
    arrived[0].acknowledge()
  }

  private func refusesUnknownPools() async throws {
    let nowhere = PoolName(rawValue: "\(pool).nowhere")
    let deadLetterInfo = SampleJobs.deadLetterInfo(pool: nowhere)
    for destination in [JobDestination.pool(nowhere), .dead(pool: nowhere, deadLetterInfo)] {
      let outcomes = await broker.enqueue([OutgoingJob(SampleJobs.bare(), to: destination)], deadline: soon)
      try requireEqual(outcomes, [.unroutable], "what became of a job for \(destination)")
    }
  }

  private func answersInOrder() async throws {
    let nowhere = PoolName(rawValue: "\(pool).nowhere")
    let jobs = jobs(4)
    let targets = [pool, nowhere, other, nowhere]
    let outcomes = await broker.enqueue(
      zip(jobs, targets).map { OutgoingJob($0, to: .pool($1)) }, deadline: soon)
    try requireEqual(outcomes, [.enqueued, .unroutable, .enqueued, .unroutable], "what became of the jobs")
    try requireEqual(await broker.enqueue([], deadline: soon), [], "what became of no jobs")
    let arrived = try await DeliveryReader(subscribe()).wait(for: 1)
    try requireEqual(arrived.compactMap(\.envelope), [jobs[0]], "the jobs of the first pool")
  }

  private func isReady() async throws {
    try await keep(jobs(1))
    try require(broker.isReady, "the broker keeps jobs and says it is not ready")
  }

  private func returnsRetries() async throws {
    let job = SampleJobs.full(attempt: 2)
    try await keep([job], to: .retry(after: tier, pool: pool))
    let reader = DeliveryReader(subscribe())
    releaseRetries()
    let arrived = try await reader.wait(for: 1)
    try requireEqual(arrived.compactMap(\.envelope), [job], "the job that returned")
    // Otherwise each retry would count as the crash of a process.
    try require(!arrived[0].redelivered, "a retried job said it was redelivered")
    try requireEqual(arrived[0].deadLetterInfo, nil, "its dead letter info")
    arrived[0].acknowledge()
  }

  private func returnsRetriesToTheirPools() async throws {
    let jobs = jobs(6)
    for (place, job) in jobs.enumerated() {
      try await keep([job], to: .retry(after: tier, pool: place.isMultiple(of: 2) ? pool : other))
    }
    let (here, there) = (
      DeliveryReader(subscribe()) { $0.acknowledge() },
      DeliveryReader(broker.subscribe(pool: other, capacity: 10)) { $0.acknowledge() }
    )
    releaseRetries()
    _ = try await here.wait(for: 3)
    _ = try await there.wait(for: 3)
    try requireEqual(Set(here.envelopes.map(\.id)), [jobs[0].id, jobs[2].id, jobs[4].id], "the first pool's jobs")
    try requireEqual(Set(there.envelopes.map(\.id)), [jobs[1].id, jobs[3].id, jobs[5].id], "the other pool's jobs")
  }

  private func keepsDeadLetters() async throws {
    let job = SampleJobs.full(run: 2, attempt: 4)
    let deadLetterInfo = SampleJobs.deadLetterInfo(pool: pool, detail: "it said \"no\", ünïcode 🐈")
    try await keep([job], to: .dead(pool: pool, deadLetterInfo))
    let subscription = broker.subscribeToDeadLetters(of: pool, capacity: 10)
    let reader = DeliveryReader(subscription)
    let letter = try await reader.wait(for: 1)[0]
    try requireEqual(letter.envelope, job, "the dead job")
    try requireEqual(letter.deadLetterInfo, deadLetterInfo, "its dead letter info")
    try requireEqual(letter.body, job.body, "its body")
    try await requireNothingLeft()
    letter.requeue()
    let again = try await reader.wait(for: 2)[1]
    try requireEqual(again.envelope, job, "the dead job that was requeued")
    try requireEqual(again.deadLetterInfo, deadLetterInfo, "its dead letter info")
    again.acknowledge()
    subscription.restart()
    let last = SampleJobs.bare()
    try await keep([last], to: .dead(pool: pool, deadLetterInfo))
    try requireEqual(try await reader.wait(for: 3)[2].envelope, last, "the next dead job")
  }

  private func keepsUnreadableMessages() async throws {
    let body = Data([0xff, 0x00, 0xfe])
    let enqueuedAt = Date(timeIntervalSince1970: 1_790_000_000)
    let carrier = JobEnvelope(run: 0, kind: "unreadable", enqueuedAt: enqueuedAt, body: body)
    try await keep([carrier], to: .dead(pool: pool, SampleJobs.deadLetterInfo(pool: pool, reason: .unreadable)))
    let reader = DeliveryReader(broker.subscribeToDeadLetters(of: pool, capacity: 10)) { $0.acknowledge() }
    let letter = try await reader.wait(for: 1)[0]
    try requireEqual(letter.envelope, carrier, "the carrier")
    try requireEqual(letter.deadLetterInfo?.reason, .unreadable, "the reason of its death")
  }
}
