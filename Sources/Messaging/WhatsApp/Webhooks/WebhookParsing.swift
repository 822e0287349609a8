internal import ClientLoop
package import Foundation

extension WebhookParser {
  /// A body of this size takes a few milliseconds; Swift's threads are few, and probes and heartbeats run on them.
  private static let inlineMax = 64 << 10

  /// ``updates(in:)`` of each body; large ones are read on a thread of their own.
  package static func updates(inAll bodies: [Data]) async -> [[WebhookUpdate]] {
    guard bodies.reduce(0, { $0 + $1.count }) > inlineMax, let thread = ParsingThread.shared else {
      return bodies.map { updates(in: $0) }
    }
    return await thread.updates(inAll: bodies)
  }
}

/// The thread that reads large bodies, one batch of them at a time.
private actor ParsingThread {
  private let executor: ThreadExecutor

  /// nil: the process could not open what a thread needs.
  static let shared = try? ParsingThread()

  private init() throws { executor = try ThreadExecutor(name: "webhooks") }

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  func updates(inAll bodies: [Data]) -> [[WebhookUpdate]] { bodies.map { WebhookParser.updates(in: $0) } }
}
