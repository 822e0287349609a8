internal import ClientLoop
package import Foundation
internal import Glibc

extension Process {
  /// Starts the process from a thread that blocks no signals: those of Swift's pool block them all, and a child inherits
  /// that.
  package func runWithSignals() async throws {
    let started = Promise<Void>()
    Thread.detachNewThread {
      var none = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, nil)
      started.resolve(Result { try self.run() })
    }
    try await started.wait()
  }
}
