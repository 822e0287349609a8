internal import CEventFD
internal import Synchronization

/// Memory that was freed and that the allocator keeps: glibc gives it back to the system at the end of a heap only, so
/// that a process would keep what its busiest second took.
package enum FreedMemory {
  /// So much more than after the last time is worth the trouble.
  private static let bytesMin = 16 << 20

  private static let bytesAfterLast = Mutex(0)

  /// Gives it back where it is much; takes some milliseconds then.
  package static func giveBack() {
    bytesAfterLast.withLock { last in
      let free = vluma_heap_free_bytes()
      guard free > last + bytesMin else {
        last = min(last, free)
        return
      }
      vluma_heap_give_back()
      last = vluma_heap_free_bytes()
    }
  }
}
