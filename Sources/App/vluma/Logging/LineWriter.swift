import DequeModule
import Foundation
import Glibc
import Synchronization

/// Writes lines to a file descriptor from a thread of its own, so that a log that cannot be written costs log lines
/// only.
///
/// Callers never wait for the log's reader: lines are kept in a bounded queue, and lines that do not fit or cannot be
/// written (disk full, reader gone) are dropped and counted. ``drops()`` reports them once lines are written again.
final class LineWriter: Sendable {
  /// Where the program's log goes.
  static let standardError = LineWriter(fileDescriptor: STDERR_FILENO)

  /// The most that queued lines take: about ten thousand lines.
  static let bytesMax = 4 << 20
  /// The most that one write takes, so that a slow reader sees lines soon.
  private static let writeBytesMax = 64 << 10

  private struct State {
    var lines = Deque<[UInt8]>()
    var bytes = 0
    var isWriting = false
    var lastWriteFailed = false
    var dropped = 0
    var reported = 0
  }

  private let fileDescriptor: Int32
  private let state = Mutex(State())
  private let work = DispatchSemaphore(value: 0)

  /// Starts the thread; it lives as long as the process.
  init(fileDescriptor: Int32) {
    self.fileDescriptor = fileDescriptor
    let thread = Thread { self.run() }
    thread.name = "log"
    thread.start()
  }

  /// Queues a line, which ends with a newline, or drops and counts it where the queue is full.
  func write(_ line: String) {
    let bytes = Array(line.utf8)
    let isFirst: Bool? = state.withLock { state in
      guard state.bytes + bytes.count <= Self.bytesMax else {
        state.dropped += 1
        return nil
      }
      state.bytes += bytes.count
      state.lines.append(bytes)
      return state.lines.count == 1
    }
    switch isFirst {
    case .some(true): work.signal()
    case .some(false): break
    case .none: LogMetrics.dropped(1)
    }
  }

  /// Lines dropped since the last call, once lines can be written again; nil where there are none.
  func drops() -> Int? {
    state.withLock { state in
      guard !state.lastWriteFailed, state.bytes < Self.bytesMax / 2, state.dropped > state.reported else { return nil }
      defer { state.reported = state.dropped }
      return state.dropped - state.reported
    }
  }

  /// Waits until all lines are written, up to `limit`: a reader that has stopped must not keep a process from ending.
  func flush(within limit: Duration = .seconds(1)) {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end, state.withLock({ $0.isWriting || !$0.lines.isEmpty }) { usleep(1_000) }
  }

  private func run() {
    while true {
      work.wait()
      while let (chunk, count) = next() {
        let failed = !writeAll(chunk)
        state.withLock { state in
          state.isWriting = false
          state.lastWriteFailed = failed
          if failed { state.dropped += count }
        }
        if failed { LogMetrics.dropped(count) }
      }
    }
  }

  /// Takes the lines of the next write from the queue.
  private func next() -> (chunk: [UInt8], lines: Int)? {
    state.withLock { state in
      guard !state.lines.isEmpty else { return nil }
      var chunk: [UInt8] = []
      var count = 0
      while let line = state.lines.first, chunk.isEmpty || chunk.count + line.count <= Self.writeBytesMax {
        chunk += line
        count += 1
        state.lines.removeFirst()
      }
      state.bytes -= chunk.count
      state.isWriting = true
      return (chunk, count)
    }
  }

  /// False where not all of it could be written.
  private func writeAll(_ chunk: [UInt8]) -> Bool {
    var rest = chunk[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(fileDescriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN || errno == EWOULDBLOCK {
        // Another process made the descriptor non-blocking (a shared terminal): this thread may wait.
        var descriptor = pollfd(fd: fileDescriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&descriptor, 1, -1)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}
