import JobEngine
import Jobs
import JobsTesting
import Logging
import ServiceLifecycle

/// A running engine.
struct EngineNode: Sendable {
  let processor: JobProcessor<InMemoryJobStore>
  private let group: ServiceGroup
  private let running: Task<Void, any Error>

  init(
    _ platform: EnginePlatform, _ registry: WorkerRegistry<InMemoryTransaction>,
    _ options: JobProcessor<InMemoryJobStore>.Options
  ) {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    processor = JobProcessor(
      configuration: platform.configuration, registry: registry, broker: platform.broker, store: platform.store,
      directory: platform.directory, deadLetterIndex: platform.deadLetterIndex, limiter: platform.limiter,
      options: options, logger: logger)
    let group = ServiceGroup(services: [processor], logger: logger)
    self.group = group
    running = Task { try await group.run() }
  }

  func beginShutdown() async { await group.triggerGracefulShutdown() }

  func drained() async throws { try await running.value }

  /// Cancels the engine and waits for its end.
  func interrupt() async {
    running.cancel()
    _ = await running.result
  }
}
