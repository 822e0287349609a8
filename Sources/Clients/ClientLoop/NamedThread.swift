internal import CEventFD
internal import Foundation

/// A thread that owns a connection for as long as its body runs.
enum NamedThread {
  /// Starts a thread; `top -H` and debuggers show the first 15 bytes of its name (Linux' limit).
  static func start(named name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread {
      vluma_name_this_thread(name)
      body()
    }
    thread.name = name
    thread.start()
  }
}
