import JobConfiguration
import Jobs
import Testing

struct DefaultsTests {
  private func pool(_ yaml: String) throws -> PoolConfiguration {
    let configuration = try JobConfiguration(yaml: yaml, workers: batchWorkers("mail.send"))
    return try #require(configuration.pool("mail"))
  }

  @Test func `a pool that says little has the platform's defaults`() throws {
    let mail = try pool(document("jobs: [mail.send]", "workers: {}"))
    let expected = PoolConfiguration(
      name: "mail", jobs: ["mail.send"], workers: WorkerCounts(min: 1, start: 1, max: 64), timeout: .seconds(30),
      retry: RetryPolicy(maxAttempts: 8, base: .seconds(1), factor: 3, max: .seconds(600), jitter: .full), maxCrashes: 3
    )
    #expect(mail == expected)
    #expect(mail.batch == nil)
    #expect(mail.recordsBodies)
  }

  @Test func `the file's defaults hold for every pool that says nothing itself`() throws {
    let file = """
      version: 1
      retry_tiers: [1s]
      defaults:
        queue: quorum
        timeout: 90s
        max_attempts: 5
        max_crashes: 7
        backoff: { base: 2s, factor: 1.5, max: 1m, jitter: none }
      pools:
        dead.letters: { jobs: [], workers: { max: 4 } }
        mail: { jobs: [mail.send], workers: { max: 4 } }
      """
    let configuration = try JobConfiguration(yaml: file, workers: workers("mail.send"))
    try #require(configuration.pools.count == 2)
    for pool in configuration.pools {
      #expect(pool.timeout == .seconds(90))
      #expect(pool.maxCrashes == 7)
      let retry = RetryPolicy(maxAttempts: 5, base: .seconds(2), factor: 1.5, max: .seconds(60), jitter: .none)
      #expect(pool.retry == retry)
    }
  }

  @Test func `kinds of a pool may have a time of their own`() throws {
    let file = """
      version: 1
      retry_tiers: [1s]
      pools:
        dead.letters: { jobs: [], workers: { max: 4 } }
        mail: { jobs: [mail.send, mail.read], workers: { max: 4 }, timeout: 20s, timeouts: { mail.read: 5s } }
      """
    let configuration = try JobConfiguration(yaml: file, workers: workers("mail.send", "mail.read"))
    let mail = try #require(configuration.pool("mail"))
    #expect(mail.timeout(of: "mail.send") == .seconds(20))
    #expect(mail.timeout(of: "mail.read") == .seconds(5))
  }

  @Test func `a pool overrides key by key`() throws {
    let file = """
      version: 1
      retry_tiers: [1s]
      defaults: { timeout: 90s, max_attempts: 5, backoff: { base: 2s, factor: 1.5, max: 1m, jitter: none } }
      pools:
        dead.letters: { jobs: [], workers: { max: 4 } }
        mail: { jobs: [mail.send], workers: { max: 4 }, timeout: 5m, backoff: { max: 2m } }
      """
    let mail = try pool(file)
    #expect(mail.timeout == .seconds(300))
    #expect(mail.maxCrashes == 3)
    #expect(
      mail.retry == RetryPolicy(maxAttempts: 5, base: .seconds(2), factor: 1.5, max: .seconds(120), jitter: .none))
  }

  @Test(
    arguments: zip(
      [
        "workers: { min: 2, start: 3, max: 4 }", "workers: { min: 5 }", "workers: { start: 9 }",
        "workers: { start: 100 }",
        "workers: { min: 200 }", "workers: { max: 1 }", "workers: { min: 0, start: 0 }",
      ],
      [
        WorkerCounts(min: 2, start: 3, max: 4), WorkerCounts(min: 5, start: 5, max: 64),
        WorkerCounts(min: 1, start: 9, max: 64), WorkerCounts(min: 1, start: 100, max: 100),
        WorkerCounts(min: 200, start: 200, max: 200), WorkerCounts(min: 1, start: 1, max: 1),
        WorkerCounts(min: 0, start: 0, max: 64),
      ]))
  func `numbers of workers that are left out follow the others`(_ line: String, _ counts: WorkerCounts) throws {
    #expect(try pool(document("jobs: [mail.send]", line)).workers == counts)
  }

  @Test(
    arguments: zip(
      ["batch: {}", "batch: { size: 7 }", "batch: { wait: 0s }", "batch: { size: 1000, wait: 10s }"],
      [
        BatchConfiguration(size: 100, wait: .milliseconds(10)), BatchConfiguration(size: 7, wait: .milliseconds(10)),
        BatchConfiguration(size: 100, wait: .zero), BatchConfiguration(size: 1_000, wait: .seconds(10)),
      ]))
  func `a batch has a size and a wait`(_ line: String, _ batch: BatchConfiguration) throws {
    #expect(try pool(mailDocument(line)).batch == batch)
  }

  @Test func `the limits themselves are allowed`() throws {
    let mail = try pool(
      document(
        "jobs: [mail.send]", "workers: { min: 0, start: 10000, max: 10000 }", "timeout: 25m", "max_attempts: 1000",
        "max_crashes: 100", "backoff: { base: 1ms, factor: 1, max: 30d }"))
    #expect(mail.timeout == .seconds(1_500))
    #expect(mail.retry.maxAttempts == 1_000)
    #expect(mail.retry.max == .seconds(30 * 86_400))
    #expect(try pool(mailDocument("timeout: 100ms")).timeout == .milliseconds(100))
  }

  @Test func `pools and tiers keep the file's order`() throws {
    let file = """
      version: 1
      retry_tiers: [100ms, 1.5s, 2m, 1d]
      pools:
        zebra: { jobs: [], workers: {} }
        dead.letters: { jobs: [], workers: {} }
        ape: { jobs: [b, a], workers: {} }
      """
    let configuration = try JobConfiguration(yaml: file, workers: workers("a", "b"))
    #expect(configuration.retryTiers == [.milliseconds(100), .milliseconds(1_500), .seconds(120), .seconds(86_400)])
    #expect(configuration.pools.map(\.name) == ["zebra", "dead.letters", "ape"])
    #expect(configuration.pool("ape")?.jobs == ["b", "a"])
    #expect(configuration.routes == ["a": "ape", "b": "ape"])
  }
}
