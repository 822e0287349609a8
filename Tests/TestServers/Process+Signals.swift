public import Foundation
internal import Wires

extension Process {
  /// Starts the process from a plain thread: those of Swift's pool block all signals, and a child inherits that.
  public func runWithSignals() async throws {
    let started = OneShot<Void>()
    Thread.detachNewThread { started.resolve(Result { try self.run() }) }
    try await started.wait()
  }
}
