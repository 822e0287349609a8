import Foundation
import JobEngine
import Jobs
import JobsTesting
import TestServers
import Testing

/// Attempts that fail, and jobs that cannot be started.
@Suite(.timeLimit(.minutes(1)))
struct EngineFailureTests {
  @Test func `a failed attempt is retried, and after the last one the job is dead`() async throws {
    let platform = EnginePlatform(maxAttempts: 3)
    let attempts = Locked<[Int]>([])
    try await platform.withNode(
      echoJobs: { job, context in
        attempts.change { $0.append(context.info.attempt) }
        return try await context.complete { transaction, _ in
          transaction.record(job.name)
          throw TransientError()
        }
      }
    ) { _ async throws in
      let job = try await platform.enqueue("a")[0]
      for attempt in 2...3 {
        try await eventually("attempt \(attempt) waits") { platform.broker.retries.count == 1 }
        var next = job
        next.attempt = attempt
        let waiting = try #require(platform.broker.retries.first)
        #expect(waiting.envelope == next)
        #expect(waiting.destination == .retry(after: .seconds(1), pool: echoJobs))
        try await platform.eventuallyIdle()
        platform.broker.releaseRetries()
      }
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .attemptsExhausted)
      #expect(letter.deadLetterInfo.detail == "the kettle is empty")
      #expect(letter.deadLetterInfo.attempts == 3)
      #expect(letter.deadLetterInfo.pool == echoJobs)
      #expect(letter.jobRun == job.jobRun)
      #expect(letter.body == job.body)
      #expect(letter.envelope?.tenant == job.tenant)
      #expect(attempts.value == [1, 2, 3])
      #expect(platform.store.effects.isEmpty)
      #expect(platform.store.receipt(of: job.jobRun)?.outcome == .dead)
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `a job that fails first and then succeeds has one effect`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      echoJobs: { job, context in
        if context.info.attempt == 1 { throw TransientError() }
        return try await EchoWorker.simple(job, context)
      }
    ) { _ async throws in
      try await platform.enqueue("a")
      try await eventually("the retry waits") { platform.broker.retries.count == 1 }
      platform.broker.releaseRetries()
      try await eventually("the job is completed") { platform.store.effects == ["a"] }
      #expect(try await platform.deadLetterIndex.letters(DeadLetterFilter()).isEmpty)
    }
  }

  @Test func `a permanent error makes the job dead at once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: { _, _ in throw PermanentError() }) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .permanentError)
      #expect(letter.deadLetterInfo.detail == "there is no such business")
      #expect(letter.deadLetterInfo.attempts == 1)
      #expect(platform.broker.retries.isEmpty)
    }
  }

  @Test func `an error without a description is recorded by its type, without its contents`() async throws {
    struct Silent: Error { let phone = "+55 11 91234-5678" }
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(echoJobs: { _, _ in throw Silent() }) { _ async throws in
      try await platform.enqueue("a")
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.detail == "Silent")
    }
  }

  @Test func `jobs that are dead of one cause share a fingerprint`() async throws {
    let platform = EnginePlatform(maxAttempts: 1)
    try await platform.withNode(
      echoJobs: { job, _ in
        if job.name == "other" { throw PermanentError() }
        throw TransientError()
      }
    ) { _ async throws in
      try await platform.enqueue("a", "b", "other")
      try await platform.eventuallyIndexed()
      let groups = try await platform.deadLetterIndex.groups()
      #expect(groups.map(\.count).sorted() == [1, 2])
    }
  }

  @Test func `a kind that no worker knows is dead at once`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let stranger = JobEnvelope(kind: "test.stranger", body: Data("{}".utf8))
      try await platform.enqueue([stranger])
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .unknownKind)
      #expect(letter.envelope == stranger)
    }
  }

  @Test func `a kind of another pool is unknown in this one`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(
      registering: {
        $0.register(EchoWorker(EchoWorker.simple))
        $0.register(FollowUpWorker())
      }
    ) { _ async throws in
      try await platform.enqueue([try JobCodec.envelope(for: FollowUpJob(name: "lost"), tenant: nil)])
      #expect(try await platform.onlyLetter().deadLetterInfo.reason == .unknownKind)
      #expect(platform.store.effects.isEmpty)
    }
  }

  @Test func `a job whose body does not decode is dead at once, and the detail names no value`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let broken = JobEnvelope(kind: EchoJob.kind, body: Data("{\"name\": 91234}".utf8))
      try await platform.enqueue([broken])
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .unreadable)
      #expect(letter.deadLetterInfo.detail.contains("name"))
      #expect(!letter.deadLetterInfo.detail.contains("91234"))
      #expect(letter.envelope == broken)
    }
  }

  @Test func `an unreadable message is dead at once, and a second copy is the same letter`()
    async throws
  {
    let platform = EnginePlatform()
    let body = Data([0xff, 0x00, 0xfe])
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      for _ in 0..<2 {
        platform.broker.put(.unreadable(reason: "message_id is missing"), body: body, into: echoJobs)
        try await platform.eventuallyIndexed()
      }
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .unreadable)
      #expect(letter.deadLetterInfo.detail == "message_id is missing")
      #expect(letter.envelope == nil)
      #expect(letter.jobRun.run == 0)
      #expect(letter.body == body)
      // Another message is another letter.
      platform.broker.put(.unreadable(reason: "message_id is missing"), body: Data("other".utf8), into: echoJobs)
      try await platform.eventuallyIndexed()
      #expect(try await platform.deadLetterIndex.letters(DeadLetterFilter()).count == 2)
    }
  }

  @Test func `a message whose body was too large to be kept is dead at once, without it`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      platform.broker.put(.oversize(detail: "the body has 20000000 bytes"), body: Data(), into: echoJobs)
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .oversize)
      #expect(letter.deadLetterInfo.detail == "the body has 20000000 bytes")
      #expect(letter.envelope == nil)
      #expect(letter.body.isEmpty)
    }
  }

  @Test func `what the broker refuses for its size becomes a dead letter without the body, and frees its worker`()
    async throws
  {
    let platform = EnginePlatform()
    let job = try JobCodec.envelope(for: EchoJob(name: "large"), tenant: nil)
    platform.broker.fail(with: .refused) { if case .retry = $0.destination { true } else { false } }
    platform.broker.fail(with: .refused) { if case .dead = $0.destination { $0.envelope.run > 0 } else { false } }
    try await platform.withNode(echoJobs: { _, _ in throw TransientError() }) { _ async throws in
      try await platform.enqueue([job])
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .oversize)
      #expect(letter.deadLetterInfo.detail.contains("\(job.jobRun)"))
      #expect(letter.deadLetterInfo.detail.contains("\(job.body.count) bytes"))
      #expect(letter.envelope == nil)
      #expect(letter.body.isEmpty)
      try await platform.eventuallyIdle()
    }
  }

  @Test func `an oversize body is dead at once, and one of the largest allowed size is not`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let large = JobEnvelope(kind: EchoJob.kind, body: Data(count: JobCodec.maxBodyBytes + 1))
      try await platform.enqueue([large])
      #expect(try await platform.onlyLetter().deadLetterInfo.reason == .oversize)
      var fitting = Data("{\"name\":\"fits\"}".utf8)
      fitting += Data(repeating: UInt8(ascii: " "), count: JobCodec.maxBodyBytes - fitting.count)
      try await platform.enqueue([JobEnvelope(kind: EchoJob.kind, body: fitting)])
      try await eventually("the largest job is completed") { platform.store.effects == ["fits"] }
    }
  }

  @Test func `a schema newer than the worker is dead at once, unchanged`() async throws {
    let platform = EnginePlatform()
    try await platform.withNode(echoJobs: EchoWorker.simple) { _ async throws in
      let newer = JobEnvelope(kind: EchoJob.kind, schemaVersion: 2, body: Data("{\"title\":\"a\"}".utf8))
      try await platform.enqueue([newer])
      let letter = try await platform.onlyLetter()
      #expect(letter.deadLetterInfo.reason == .newerSchema)
      #expect(letter.envelope == newer)
    }
  }
}
