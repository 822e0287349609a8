import Foundation
import Glibc
import Synchronization
import TestServers

/// A pipe for a process' log: full from the beginning, and read only after ``read()``.
final class StuckReader: Sendable {
  /// The named pipe, to open for writing.
  let path: String
  private let descriptor: Int32
  private enum State { case stuck, reading, closed }
  private let state = Mutex(State.stuck)

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: TestEnvironment.uniqueName("log")).path
    guard mkfifo(path, 0o600) == 0 else { throw TestError(description: "no pipe can be made at \(path)") }
    // Both ends, so that opening does not wait.
    descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    let line = [UInt8](repeating: UInt8(ascii: "\n"), count: 4_096)
    while write(descriptor, line, line.count) > 0 {}
  }

  /// Reads from now on, until ``close()``.
  func read() {
    let isFirst = state.withLock { state in
      guard state == .stuck else { return false }
      state = .reading
      return true
    }
    guard isFirst else { return }
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while state.withLock({ $0 == .reading }) {
        if Glibc.read(descriptor, &buffer, buffer.count) > 0 { continue }
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&event, 1, 100)
      }
      Glibc.close(descriptor)
    }
  }

  /// After that a process that writes gets an error.
  func close() {
    unlink(path)
    let wasStuck = state.withLock { state in
      defer { state = .closed }
      return state == .stuck
    }
    if wasStuck { Glibc.close(descriptor) }
  }
}
