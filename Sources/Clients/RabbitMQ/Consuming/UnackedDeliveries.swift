internal import DequeModule

/// How a delivery ends.
enum Settlement: Sendable, Equatable {
  case acknowledge
  case requeue
}

/// The open deliveries of one channel, and the fewest frames that tell the broker which are done: a state machine
/// without I/O.
struct UnackedDeliveries {
  /// A frame to send.
  enum Frame: Equatable {
    /// basic.ack of this tag, or of all open ones up to it.
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

  /// Deliveries that are not settled yet.
  var unackedCount: Int { entries.count { $0.settlement == nil } }

  /// A delivery arrived; tags of a channel only grow.
  mutating func delivered(_ tag: UInt64) { entries.append(Entry(tag: tag)) }

  /// A delivery's end; the first one counts, and an unknown tag is none.
  mutating func settle(_ tag: UInt64, _ settlement: Settlement) {
    guard let index = index(of: tag), entries[index].settlement == nil else { return }
    entries[index].settlement = settlement
    settledSinceFlush.append(tag)
  }

  /// The frames for all that was settled since the last flush.
  ///
  /// A run of acknowledged deliveries at the head becomes one frame with `multiple`; others go one by one, at once:
  /// nothing waits for a slow neighbour.
  mutating func flush() -> [Frame] {
    var frames: [Frame] = []
    var headRun: (last: UInt64, count: Int)?
    func closeRun(_ frames: inout [Frame]) {
      if let run = headRun { frames.append(.acknowledge(run.last, multiple: run.count > 1)) }
      headRun = nil
    }
    while let head = entries.first, let settlement = head.settlement {
      if !head.isSent {
        switch settlement {
        case .acknowledge: headRun = (head.tag, (headRun?.count ?? 0) + 1)
        case .requeue:
          closeRun(&frames)
          frames.append(.requeue(head.tag))
        }
      }
      entries.removeFirst()
    }
    closeRun(&frames)
    for tag in settledSinceFlush {
      guard let index = index(of: tag), let settlement = entries[index].settlement, !entries[index].isSent else {
        continue
      }
      entries[index].isSent = true
      frames.append(settlement == .acknowledge ? .acknowledge(tag, multiple: false) : .requeue(tag))
    }
    settledSinceFlush.removeAll(keepingCapacity: true)
    return frames
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
