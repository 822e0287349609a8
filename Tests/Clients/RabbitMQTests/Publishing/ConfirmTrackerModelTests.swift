import TestServers
import Testing

@testable import RabbitMQ

/// A broker and its callers, as far as the tracker can tell: what was written under which tag, and what each message's
/// end may be.
private struct PublishModel {
  struct Written {
    let number: Int
    var result: PublishResult?
    var isReturned = false
  }

  var driver = ConfirmTrackerDriver()
  /// What was written under this connection; its tag is its place, from 1.
  var written: [Written] = []
  var everWritten: Set<Int> = []
  var ends: [Int: PublishResult] = [:]
  var added = 0
  var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func add() {
    added += 1
    driver.add(added, timeout: .seconds(Int.random(in: 1...100, using: &random)))
  }

  mutating func write() {
    for id in driver.write() {
      guard let number = Int(id) else { continue }
      #expect(ends[number] == nil, "a finished message was written again")
      written.append(Written(number: number))
      everWritten.insert(number)
    }
  }

  mutating func decide() {
    guard let index = written.indices.randomElement(using: &random) else { return }
    let multiple = Bool.random(using: &random)
    let positive = Int.random(in: 0..<4, using: &random) > 0
    for place in multiple ? 0...index : index...index where written[place].result == nil {
      written[place].result = written[place].isReturned ? .returned : positive ? .confirmed : .nacked
    }
    accept(driver.tracker.confirmed(UInt64(index + 1), multiple: multiple, positive: positive))
  }

  mutating func returnMessage() {
    let open = written.indices.filter { written[$0].result == nil && !written[$0].isReturned }
    guard let index = open.randomElement(using: &random) else { return }
    written[index].isReturned = true
    driver.returned(messageID: "\(written[index].number)")
  }

  mutating func expire(after seconds: Int) { accept(driver.tracker.expire(driver.now + .seconds(seconds))) }

  mutating func lose() {
    driver.tracker.connectionLost()
    written = []
  }

  /// Checks each resolution against what the broker said.
  mutating func accept(_ resolutions: [ConfirmTracker.Resolution]) {
    for resolution in resolutions {
      let number = resolution.position.index
      #expect(ends[number] == nil, "message \(number) was resolved twice")
      ends[number] = resolution.result
      switch resolution.result {
      case .confirmed, .returned, .nacked:
        #expect(written.contains { $0.number == number && $0.result == resolution.result })
      case .expired: #expect(!everWritten.contains(number))
      case .lost: #expect(everWritten.contains(number))
      case .refused: Issue.record("message \(number) fits into every frame")
      }
    }
  }
}

struct ConfirmTrackerModelTests {
  @Test(arguments: 1...40)
  func `whatever happens every message ends once, with the result that is true`(_ seed: Int) {
    var model = PublishModel(seed: UInt64(seed))
    var clock = 0
    for _ in 0..<600 {
      switch Int.random(in: 0..<20, using: &model.random) {
      case 0..<7: model.add()
      case 7..<12: model.write()
      case 12..<16: model.decide()
      case 16, 17: model.returnMessage()
      case 18:
        clock += Int.random(in: 0...3, using: &model.random)
        model.expire(after: clock)
      default: model.lose()
      }
    }
    model.expire(after: 1_000)
    #expect(model.ends.count == model.added)
  }
}
