import Logging
import TestServers
import Testing

@testable import HTTP

struct LimitedLogHandlerTests {
  private struct Recorder: LogHandler {
    let lines: Locked<[String]>
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
      lines.change { $0.append(line) }
    }
  }

  @Test func `errors and warnings reach the log, ten of them, and nothing below`() {
    let lines = Locked<[String]>([])
    let target = Logger(label: "target") { _ in Recorder(lines: lines) }
    var logger = LimitedLogHandler.logger(label: "http", writingTo: target)
    logger.info("listening")
    logger[metadataKey: "request"] = "1"
    logger.error("request failed", metadata: ["path": "/x"])
    #expect(lines.value.count == 1)
    #expect(lines.value.first?.contains("error request failed") == true)
    #expect(lines.value.first?.contains("/x") == true)
    // Copies share the bound.
    for _ in 0..<100 {
      let copy = logger
      copy.warning("again")
    }
    #expect(lines.value.count == 10)
  }
}
