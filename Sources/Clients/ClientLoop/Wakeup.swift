internal import CEventFD
internal import Glibc

/// A file descriptor that becomes readable when another thread calls ``wake()``: how a thread that polls a
/// socket is told that there is work for it.
///
/// It is an eventfd: any number of wakes before the owner looks count as one.
package final class Wakeup: Sendable {
  /// The descriptor to poll for reading.
  package let fileDescriptor: Int32

  /// Opens the descriptor; throws ``ClientLoopError/noFileDescriptor(_:)`` when the process has none left.
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

  /// Makes the descriptor unreadable again. Called by the owner before it looks at its work.
  package func drain() {
    var count: UInt64 = 0
    _ = read(fileDescriptor, &count, 8)
  }

  /// Blocks the calling thread until somebody wakes it, or the time has passed (nil: for ever).
  package func wait(milliseconds: Int32? = nil) {
    var descriptor = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
    _ = poll(&descriptor, 1, milliseconds ?? -1)
    drain()
  }
}

/// What can go wrong before a connection's thread exists.
package enum ClientLoopError: Error, CustomStringConvertible {
  /// The process is out of file descriptors (errno as the kernel gave it).
  case noFileDescriptor(errno: Int32)

  /// A sentence that is safe to log and says what an operator can do.
  package var description: String {
    switch self {
    case .noFileDescriptor(let errno):
      "no file descriptor left for a connection's thread (errno \(errno)): raise the process's limit (ulimit -n)"
    }
  }
}
