internal import Synchronization

/// All decided requests to send, in order; at least the last 90,000 are kept.
final class MessageHistory: Sendable {
  private struct State {
    var records: [MessageRecord] = []
    /// Positions count evicted records too, so that they stay valid.
    var evicted = 0
    var positions: [String: Int] = [:]
  }
  private let state = Mutex(State())

  private static let recordsMax = 100_000

  func append(_ record: MessageRecord) {
    state.withLock { state in
      if state.records.count >= Self.recordsMax {
        let count = Self.recordsMax / 10
        for old in state.records.prefix(count) {
          if let wamid = old.wamid { state.positions[wamid] = nil }
        }
        state.records.removeFirst(count)
        state.evicted += count
      }
      if let wamid = record.wamid { state.positions[wamid] = state.evicted + state.records.count }
      state.records.append(record)
    }
  }

  /// Adds a status whose webhook was answered 2xx.
  func recordStatus(_ status: MessageStatus, of wamid: String) {
    state.withLock { state in
      guard let position = state.positions[wamid] else { return }
      state.records[position - state.evicted].statuses.append(status)
    }
  }

  var records: [MessageRecord] { state.withLock { $0.records } }
}
