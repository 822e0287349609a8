internal import DequeModule

enum Settlement: Sendable, Equatable {
  case acknowledge
  case requeue
}

/// The unsettled deliveries of one channel, and the fewest frames that settle them: a state machine without I/O.
struct UnackedDeliveries {
  enum Frame: Equatable {
    /// basic.ack of this tag, or of all unsettled ones up to it.
    case acknowledge(UInt64, multiple: Bool)
    /// basic.reject with requeue.
    case requeue(UInt64)
  }

  private struct Entry {
    let tag: UInt64
    var settlement: Settlement?
    var isSent = false
  }

  private var entries = Deque<Entry>()
  private var settledSinceFlush: [UInt64] = []
  /// Entries that were sent and stay behind an unsettled head.
  private var sentCount = 0

  /// Past this many, sent entries are removed once they are more than half of all.
  private static let sentMax = 64

  var unackedCount: Int { entries.count { $0.settlement == nil } }

  /// Adds a delivery; tags of a channel only grow.
  mutating func delivered(_ tag: UInt64) { entries.append(Entry(tag: tag)) }

  /// Settles a delivery once; later settlements and unknown tags are ignored.
  mutating func settle(_ tag: UInt64, _ settlement: Settlement) {
    guard let index = index(of: tag), entries[index].settlement == nil else { return }
    entries[index].settlement = settlement
    settledSinceFlush.append(tag)
  }

  /// The frames for all that was settled since the last flush.
  ///
  /// Consecutive acknowledged deliveries at the head become one frame with `multiple`; others get one frame each, at
  /// once: none waits for a slow job before it.
  mutating func flush() -> [Frame] {
    var frames: [Frame] = []
    var headRun: (last: UInt64, count: Int)?
    func endRun(_ frames: inout [Frame]) {
      if let run = headRun { frames.append(.acknowledge(run.last, multiple: run.count > 1)) }
      headRun = nil
    }
    while let head = entries.first, let settlement = head.settlement {
      if head.isSent {
        sentCount -= 1
      } else {
        switch settlement {
        case .acknowledge: headRun = (head.tag, (headRun?.count ?? 0) + 1)
        case .requeue:
          endRun(&frames)
          frames.append(.requeue(head.tag))
        }
      }
      entries.removeFirst()
    }
    endRun(&frames)
    for tag in settledSinceFlush {
      guard let index = index(of: tag), let settlement = entries[index].settlement, !entries[index].isSent else {
        continue
      }
      entries[index].isSent = true
      sentCount += 1
      frames.append(settlement == .acknowledge ? .acknowledge(tag, multiple: false) : .requeue(tag))
    }
    settledSinceFlush.removeAll(keepingCapacity: true)
    removeSent()
    return frames
  }

  /// For tests: the entries in memory.
  var entryCount: Int { entries.count }

  /// Keeps the memory proportional to what is unsettled, however long the head stays so.
  private mutating func removeSent() {
    guard sentCount > Self.sentMax, sentCount > entries.count / 2 else { return }
    entries.removeAll(where: \.isSent)
    sentCount = 0
  }

  /// Binary search: tags are sorted, though not always consecutive once a consumer was cancelled.
  private func index(of tag: UInt64) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].tag < tag { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].tag == tag ? low : nil
  }
}
