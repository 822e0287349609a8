import Foundation
import Glibc
import Logging
import Synchronization
import UnixSignals

/// Ends the process: the first SIGTERM or SIGINT drains it, a second one stops it at once.
final class ShutdownSignals: Sendable {
  private let begun = Atomic(false)

  /// True after the first signal: the process is no longer ready.
  var isShuttingDown: Bool { begun.load(ordering: .relaxed) }

  func watchSignals(_ logger: Logger, _ drain: @Sendable () async -> Void) async {
    for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
      if begun.exchange(true, ordering: .relaxed) {
        logger.warning("second signal: stopping at once; running jobs return to their queues")
        LineWriter.standardError.flush()
        _exit(128 + signal.rawValue)
      }
      logger.info("stopping; a second signal stops at once")
      await drain()
    }
  }
}
