internal import CEventFD
internal import Glibc

/// What ended ``Wakeup/poll(_:for:timeout:)``.
package enum PollResult: Sendable, Equatable {
  /// The socket is ready; the events are those of poll(2), POLLHUP and POLLERR among them.
  case socket(events: Int32)
  /// Another thread called ``Wakeup/wake()``, or a signal came; the socket is not ready.
  case woken
  case timeout

  /// True where a read of the socket does not block: there are bytes, or its end, or its error.
  package var isReadable: Bool {
    if case .socket(let events) = self { events & (POLLIN | POLLHUP | POLLERR) != 0 } else { false }
  }
}

/// A file descriptor that becomes readable when another thread calls ``wake()``: how a thread that polls a
/// socket learns of work.
///
/// It is an eventfd: any number of wakes before a drain count as one.
package final class Wakeup: Sendable {
  /// The descriptor to poll for reading.
  package let fileDescriptor: Int32

  /// Throws ``ClientLoopError/noFileDescriptor(errno:)`` when the process has none left.
  package init() throws(ClientLoopError) {
    fileDescriptor = vluma_eventfd()
    guard fileDescriptor >= 0 else { throw .noFileDescriptor(errno: errno) }
  }

  deinit { close(fileDescriptor) }

  /// Makes the descriptor readable. Never blocks; safe from any thread.
  package func wake() {
    var one: UInt64 = 1
    _ = write(fileDescriptor, &one, 8)
  }

  /// Makes the descriptor unreadable again. Called by the owner before it takes its work.
  package func drain() {
    var count: UInt64 = 0
    _ = read(fileDescriptor, &count, 8)
  }

  /// Blocks the calling thread until a wake, or until the time has passed (nil: no limit); then drains.
  package func wait(timeout: Duration? = nil) {
    var descriptor = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
    _ = Glibc.poll(&descriptor, 1, Self.milliseconds(timeout))
    drain()
  }

  /// Blocks the calling thread until the socket is ready for the events, a wake, or until the time has passed (nil: no
  /// limit; zero: never blocks). A wake is drained, also where the socket is ready too.
  package func poll(_ socket: Int32, for events: Int32 = POLLIN, timeout: Duration?) -> PollResult {
    var descriptors = [
      pollfd(fd: socket, events: Int16(events), revents: 0),
      pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    let count = Glibc.poll(&descriptors, 2, Self.milliseconds(timeout))
    if descriptors[1].revents != 0 { drain() }
    if descriptors[0].revents != 0 { return .socket(events: Int32(descriptors[0].revents)) }
    return count == 0 ? .timeout : .woken
  }

  /// poll(2)'s timeout, rounded up, so that a deadline has passed when it ends.
  private static func milliseconds(_ timeout: Duration?) -> Int32 {
    guard let timeout else { return -1 }
    return Int32(clamping: Int64(max(0, min(timeout / .milliseconds(1), 1e9)).rounded(.up)))
  }
}
