import Jobs
import TestServers
import Testing

@testable import JobEngine

/// A buffer beside a plain list of the jobs that should be in it.
private struct BufferModel {
  /// A prefetched job. Its name starts with its kind: `a` and `b` can be batched, `A` is redelivered, `s` is single,
  /// `?` is unreadable.
  struct Waiting {
    let name: String
    let since: ContinuousClock.Instant

    var kind: Character { name.first ?? "?" }
    var isBatched: Bool { "ab".contains(kind) }
  }

  static let batchSize = 3
  static let batchWait = Duration.milliseconds(5)

  var random: SeededRandom
  var buffer: PrefetchBuffer
  var now = ContinuousClock.now
  var waiting: [Waiting] = []
  /// The sizes of the running batches; 1: a single job.
  var running: [Int] = []
  var begun: Set<String> = []
  var added = 0

  init(seed: Int) {
    random = SeededRandom(seed: UInt64(seed))
    buffer = PrefetchBuffer(
      size: Int.random(in: 1...4, using: &random), batchKinds: ["a", "b"], batchSize: Self.batchSize,
      batchWait: Self.batchWait)
  }

  mutating func add() {
    var deliveries: [JobDelivery] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      added += 1
      let kind = ["a", "a", "b", "A", "s", "?"][.random(in: 0..<6, using: &random)]
      let name = "\(kind)\(added)"
      switch kind {
      case "?": deliveries.append(.unreadable(named: name))
      case "A": deliveries.append(.named(name, "a", redelivered: true))
      default: deliveries.append(.named(name, JobKind(rawValue: kind)))
      }
      waiting.append(Waiting(name: name, since: now))
    }
    let unwanted = buffer.add(deliveries, now: now)
    #expect(unwanted.isEmpty)
  }

  mutating func finish() {
    guard let index = running.indices.randomElement(using: &random) else { return }
    buffer.finished(jobs: running.remove(at: index))
  }

  /// The jobs that should begin next: the oldest that need not wait for a fuller batch. A batch that waits holds up
  /// nothing behind it.
  private var expected: (names: [String], wake: ContinuousClock.Instant?) {
    var wake: ContinuousClock.Instant?
    var considered: Set<Character> = []
    for (index, head) in waiting.enumerated() {
      guard head.isBatched else { return ([head.name], nil) }
      guard considered.insert(head.kind).inserted else { continue }
      let batch = waiting[index...].filter { $0.kind == head.kind }.prefix(Self.batchSize)
      let batchDeadline = head.since + Self.batchWait
      if batch.count == Self.batchSize || batchDeadline <= now { return (batch.map(\.name), nil) }
      wake = wake.map { min($0, batchDeadline) } ?? batchDeadline
    }
    return ([], wake)
  }

  mutating func step() {
    let next = expected
    switch buffer.step(now) {
    case .begin(let names):
      #expect(running.count < buffer.size)
      #expect(names == next.names)
      #expect(begun.isDisjoint(with: names), "a job began twice")
      begun.formUnion(names)
      waiting.removeAll { names.contains($0.name) }
      running.append(names.count)
    case .wait(until: nil):
      #expect(waiting.isEmpty || running.count >= buffer.size, "a job could have begun")
    case .wait(let until):
      #expect(next.names.isEmpty)
      #expect(until == next.wake)
    case .requeue: Issue.record("a job was to be requeued without a limit of its wait")
    case .finished: Issue.record("the buffer finished before it was drained")
    }
    #expect(buffer.totalJobs == waiting.count + running.reduce(0, +))
    #expect(buffer.busyWorkers == running.count)
  }
}

struct PrefetchBufferModelTests {
  @Test(arguments: 1...40)
  func `every job begins once, the oldest first, in full batches of one kind or when the wait is over`(_ seed: Int) {
    var model = BufferModel(seed: seed)
    for _ in 0..<400 {
      switch Int.random(in: 0..<10, using: &model.random) {
      case 0, 1: model.add()
      case 2, 3: model.finish()
      case 4: model.now += .milliseconds(Int.random(in: 0...4, using: &model.random))
      case 5: model.buffer.size = Int.random(in: 0...4, using: &model.random)
      default: model.step()
      }
    }
    let returned = model.buffer.drain()
    #expect(returned.map(\.name) == model.waiting.map(\.name))
    #expect(model.begun.count + returned.count == model.added)
    while !model.running.isEmpty {
      #expect(model.buffer.step(model.now) == .wait(until: nil))
      model.finish()
    }
    #expect(model.buffer.step(model.now) == .finished)
  }
}
