internal import CEventFD
internal import Foundation
internal import Metrics
internal import Synchronization

/// A thread that owns a connection for as long as its body runs.
enum NamedThread {
  /// How many there are.
  private static let count = Atomic(0)

  /// Starts a thread; `top -H` and debuggers show the first 15 bytes of its name (Linux' limit).
  static func start(named name: String, _ body: @escaping @Sendable () -> Void) {
    ClientLoopMetrics.threads(count.wrappingAdd(1, ordering: .relaxed).newValue)
    let thread = Thread {
      vluma_name_this_thread(name)
      body()
      ClientLoopMetrics.threads(count.wrappingAdd(-1, ordering: .relaxed).newValue)
    }
    thread.name = name
    thread.start()
  }
}

/// The metrics of the clients' threads.
package enum ClientLoopMetrics {
  private static let threads = "vluma_client_threads"

  /// What each metric measures, by name.
  package static let help = [threads: "Threads of this process that own a connection to a server, or look up its name."]

  static func threads(_ count: Int) { Gauge(label: threads).record(count) }
}
