internal import CLibPQ
internal import Foundation
internal import Synchronization

/// Requests to cancel a running statement, each on a thread of its own: PQcancel connects, without a timeout.
enum PostgresCancelRequest {
  /// Those that are under way in this process, each with a thread and a descriptor.
  private static let count = Atomic(0)
  /// A frozen server accepts cancel requests and never answers, so that none of them ends: no more than this are made.
  /// Without one the connection is abandoned as well, and the server ends the statement when it sees that.
  private static let max = 8

  /// Asks the server to cancel the statement that runs on the connection; returns at once.
  static func send(on connection: OpaquePointer) {
    guard count.wrappingAdd(1, ordering: .relaxed).newValue <= max, let request = PQgetCancel(connection) else {
      count.subtract(1, ordering: .relaxed)
      return
    }
    nonisolated(unsafe) let owned = request  // only the new thread uses it, and frees it
    Thread.detachNewThread {
      var message = [CChar](repeating: 0, count: 256)
      PQcancel(owned, &message, Int32(message.count))
      PQfreeCancel(owned)
      count.subtract(1, ordering: .relaxed)
    }
  }
}
