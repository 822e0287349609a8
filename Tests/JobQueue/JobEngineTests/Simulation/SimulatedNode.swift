import ClientLoop
import JobEngine
import Jobs
import JobsTesting
import Logging

/// A node of a simulation, which can be crashed at any await.
final class SimulatedNode: Sendable {
  private let platform: EnginePlatform
  private let crashSwitch = CrashSwitch()
  private let running: Task<Void, Never>

  init(_ id: String, _ platform: EnginePlatform, _ registry: WorkerRegistry<InMemoryTransaction>) {
    self.platform = platform
    let processor = JobProcessor(
      configuration: platform.configuration, registry: registry,
      broker: CrashableBroker(broker: platform.broker, crashSwitch: crashSwitch),
      store: CrashableStore(store: platform.store, crashSwitch: crashSwitch), directory: platform.directory,
      deadLetterIndex: platform.deadLetterIndex, limiter: platform.limiter, options: .init(node: id),
      logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() })
    running = Task(executorPreference: TimeSource.value.executor) { try? await processor.run() }
  }

  /// Crashes the node at its present await. The broker requeues what it had prefetched or running.
  func crash() async {
    crashSwitch.crash()
    running.cancel()
    await running.value
    platform.broker.forgetCancelled()
  }
}
