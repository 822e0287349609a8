internal import ClientLoop

/// Tasks wait at a gate until it is opened: a test holds a job or a transaction with it.
package final class Gate: Sendable {
  private let opened = Promise<Void>()

  package init() {}

  package var isOpen: Bool { opened.result != nil }

  /// Resumes all waiting tasks; later ones do not wait.
  package func open() { opened.resolve() }

  /// Throws `CancellationError` when the task is cancelled first.
  package func wait() async throws { try await opened.wait() }
}
