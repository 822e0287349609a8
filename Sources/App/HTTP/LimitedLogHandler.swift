package import Logging
internal import Synchronization

/// Passes warnings and errors on, some in ten seconds at most: what a client can cause must not fill the log.
package struct LimitedLogHandler: LogHandler {
  private final class Window: Sendable {
    struct State {
      var since = ContinuousClock.now
      var lines = 0
      var suppressed = 0
    }
    let state = Mutex(State())
  }

  private static let length = Duration.seconds(10)
  private static let linesMax = 10

  package var logLevel = Logger.Level.warning
  package var metadata: Logger.Metadata = [:]
  private let target: Logger
  private let window = Window()

  private init(_ target: Logger) { self.target = target }

  /// A logger whose lines end up in `target`.
  package static func logger(label: String, writingTo target: Logger) -> Logger {
    let handler = LimitedLogHandler(target)
    return Logger(label: label) { _ in handler }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let suppressed: Int? = window.state.withLock { state in
      var ended = 0
      if ContinuousClock.now >= state.since + Self.length {
        ended = state.suppressed
        state = .init()
      }
      guard state.lines < Self.linesMax else {
        state.suppressed += 1
        return nil
      }
      state.lines += 1
      return ended
    }
    guard let suppressed else { return }
    if suppressed > 0 {
      target.warning(
        "log lines of the HTTP server were left out: too many in 10 s", metadata: ["count": "\(suppressed)"])
    }
    target.log(level: event.level, event.message, metadata: metadata.merging(event.metadata ?? [:]) { $1 })
  }
}
