internal import ClientLoop
package import Foundation
internal import Glibc

extension Process {
  /// Starts the process from a thread that blocks no signals: Swift's pool threads block all of them, and a child
  /// inherits the mask.
  package func runWithSignals() async throws {
    try await Crowd.whileAbsent {
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
}
