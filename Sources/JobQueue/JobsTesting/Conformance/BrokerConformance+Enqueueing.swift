internal import Foundation
internal import Jobs

extension BrokerConformance {
  static var enqueueRules: [Rule] {
    [
      Rule("a job arrives as it was enqueued, not redelivered") { try await $0.deliversUnchanged() },
      Rule("a large body arrives byte for byte") { try await $0.deliversLargeBodies() },
      Rule("a job that is too large is refused, and holds up no other") { try await $0.refusesTooLarge() },
      Rule("a job for a pool that does not exist is unroutable") { try await $0.reportsUnroutable() },
      Rule("each of many jobs has its own result, in order") { try await $0.answersInOrder() },
      Rule("a broker that enqueues jobs is ready") { try await $0.isReady() },
      Rule("a retried job returns to its pool, unchanged and not redelivered") { try await $0.returnsRetries() },
      Rule("retried jobs of several pools return to their own pools") { try await $0.returnsRetriesToTheirPools() },
      Rule("a dead job arrives among the dead letters only, with its dead letter info") {
        try await $0.keepsDeadLetters()
      },
      Rule("an unreadable message becomes a dead letter with its body") { try await $0.keepsUnreadableMessages() },
    ]
  }

  private func deliversUnchanged() async throws {
    let jobs = [SampleJobs.full(run: 3, attempt: 5), SampleJobs.bare()]
    try await enqueue(jobs)
    let deliveries = try await DeliveryReader(subscribe()).wait(for: 2)
    let arrived = deliveries.compactMap(\.envelope)
    for job in jobs { try requireEqual(arrived.first { $0.id == job.id }, job, "the job that arrived") }
    for delivery in deliveries {
      try requireEqual(delivery.body, delivery.envelope?.body, "the delivery's body")
      try require(!delivery.redelivered, "a first delivery is marked as redelivered")
      try requireEqual(delivery.deadLetterInfo, nil, "the dead letter info of a job that is not dead")
      delivery.acknowledge()
    }
  }

  private func deliversLargeBodies() async throws {
    var job = SampleJobs.full()
    job.body = Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try await enqueue([job])
    let arrived = try await DeliveryReader(subscribe()).wait(for: 1)
    try require(arrived[0].body == job.body, "a body of a megabyte arrived changed")
    arrived[0].acknowledge()
  }

  private func refusesTooLarge() async throws {
    var large = SampleJobs.bare()
    large.body = Data(count: 17 << 20)
    let small = SampleJobs.bare()
    let results = await broker.enqueue(
      [large, small].map { OutgoingJob($0, to: .pool(pool)) }, deadline: soon)
    try requireEqual(results, [.refused, .enqueued], "the results")
    let arrived = try await DeliveryReader(subscribe()).wait(for: 1)
    try requireEqual(arrived.compactMap(\.envelope), [small], "the jobs of the pool")
    arrived[0].acknowledge()
  }

  private func reportsUnroutable() async throws {
    let nowhere = PoolName(rawValue: "\(pool).nowhere")
    let deadLetterInfo = SampleJobs.deadLetterInfo(pool: nowhere)
    for destination in [JobDestination.pool(nowhere), .dead(pool: nowhere, deadLetterInfo)] {
      let results = await broker.enqueue([OutgoingJob(SampleJobs.bare(), to: destination)], deadline: soon)
      try requireEqual(results, [.unroutable], "the result of a job for \(destination)")
    }
  }

  private func answersInOrder() async throws {
    let nowhere = PoolName(rawValue: "\(pool).nowhere")
    let jobs = jobs(4)
    let targets = [pool, nowhere, other, nowhere]
    let results = await broker.enqueue(
      zip(jobs, targets).map { OutgoingJob($0, to: .pool($1)) }, deadline: soon)
    try requireEqual(results, [.enqueued, .unroutable, .enqueued, .unroutable], "the results")
    try requireEqual(await broker.enqueue([], deadline: soon), [], "the results of no jobs")
    let arrived = try await DeliveryReader(subscribe()).wait(for: 1)
    try requireEqual(arrived.compactMap(\.envelope), [jobs[0]], "the jobs of the first pool")
  }

  private func isReady() async throws {
    try await enqueue(jobs(1))
    try require(broker.isReady, "the broker enqueues jobs and is not ready")
  }

  private func returnsRetries() async throws {
    let job = SampleJobs.full(attempt: 2)
    try await enqueue([job], to: .retry(after: tier, pool: pool))
    let reader = DeliveryReader(subscribe())
    releaseRetries()
    let arrived = try await reader.wait(for: 1)
    try requireEqual(arrived.compactMap(\.envelope), [job], "the job that returned")
    // Otherwise each retry would count as the crash of a process.
    try require(!arrived[0].redelivered, "a retried job is marked as redelivered")
    try requireEqual(arrived[0].deadLetterInfo, nil, "its dead letter info")
    arrived[0].acknowledge()
  }

  private func returnsRetriesToTheirPools() async throws {
    let jobs = jobs(6)
    for (index, job) in jobs.enumerated() {
      try await enqueue([job], to: .retry(after: tier, pool: index.isMultiple(of: 2) ? pool : other))
    }
    let (reader, otherReader) = (
      DeliveryReader(subscribe()) { $0.acknowledge() },
      DeliveryReader(broker.subscribe(pool: other, capacity: 10)) { $0.acknowledge() }
    )
    releaseRetries()
    _ = try await reader.wait(for: 3)
    _ = try await otherReader.wait(for: 3)
    try requireEqual(Set(reader.envelopes.map(\.id)), [jobs[0].id, jobs[2].id, jobs[4].id], "the first pool's jobs")
    try requireEqual(
      Set(otherReader.envelopes.map(\.id)), [jobs[1].id, jobs[3].id, jobs[5].id], "the other pool's jobs")
  }

  private func keepsDeadLetters() async throws {
    let job = SampleJobs.full(run: 2, attempt: 4)
    let deadLetterInfo = SampleJobs.deadLetterInfo(pool: pool, detail: "it said \"no\", ünïcode 🐈")
    try await enqueue([job], to: .dead(pool: pool, deadLetterInfo))
    let subscription = broker.subscribeToDeadLetters(of: pool, capacity: 10)
    let reader = DeliveryReader(subscription)
    let letter = try await reader.wait(for: 1)[0]
    try requireEqual(letter.envelope, job, "the dead job")
    try requireEqual(letter.deadLetterInfo, deadLetterInfo, "its dead letter info")
    try requireEqual(letter.body, job.body, "its body")
    try await requireEmpty()
    letter.requeue()
    let again = try await reader.wait(for: 2)[1]
    try requireEqual(again.envelope, job, "the requeued dead job")
    try requireEqual(again.deadLetterInfo, deadLetterInfo, "its dead letter info")
    again.acknowledge()
    subscription.restart()
    let last = SampleJobs.bare()
    try await enqueue([last], to: .dead(pool: pool, deadLetterInfo))
    try requireEqual(try await reader.wait(for: 3)[2].envelope, last, "the next dead job")
  }

  private func keepsUnreadableMessages() async throws {
    let body = Data([0xff, 0x00, 0xfe])
    let enqueuedAt = Date(timeIntervalSince1970: 1_790_000_000)
    let envelope = JobEnvelope(run: 0, kind: "unreadable", enqueuedAt: enqueuedAt, body: body)
    try await enqueue([envelope], to: .dead(pool: pool, SampleJobs.deadLetterInfo(pool: pool, reason: .unreadable)))
    let reader = DeliveryReader(broker.subscribeToDeadLetters(of: pool, capacity: 10)) { $0.acknowledge() }
    let letter = try await reader.wait(for: 1)[0]
    try requireEqual(letter.envelope, envelope, "the envelope of the unreadable message")
    try requireEqual(letter.deadLetterInfo?.reason, .unreadable, "its reason")
  }
}
