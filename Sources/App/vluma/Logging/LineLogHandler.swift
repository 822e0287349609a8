import Foundation
import Logging

/// Writes each record as one line to standard error: readable text, or JSON with ECS field names.
struct LineLogHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  private let label: String
  private let isJSON: Bool
  private let output: LineWriter

  init(label: String, level: Logger.Level, isJSON: Bool, output: LineWriter = .standardError) {
    self.label = label
    self.output = output
    self.isJSON = isJSON
    logLevel = level
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let merged = metadata.merging(event.metadata ?? [:]) { $1 }
    if let dropped = output.drops() {
      output.write(
        line(
          .warning, "log lines dropped: standard error could not be written; check its reader and its disk",
          ["count": "\(dropped)"]))
    }
    output.write(line(event.level, "\(event.message)", merged))
  }

  private func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
    isJSON ? json(level, message, metadata) : text(level, message, metadata)
  }

  private static func timestamp() -> String {
    Date().formatted(.iso8601.year().month().day().dateTimeSeparator(.standard).time(includingFractionalSeconds: true))
      + "Z"
  }

  private func text(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
    let details = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.oneLine("\($0.value)"))" }.joined()
    return "\(Self.timestamp()) \(level.rawValue.uppercased()) \(Self.oneLine(message))\(details)\n"
  }

  private static func oneLine(_ text: String) -> String {
    text.contains(where: \.isNewline) ? text.replacing(/\s*\n\s*/, with: " | ") : text
  }

  /// The first four fields are in the order that ECS logging specifies.
  private func json(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
    func quoted(_ text: String) -> String {
      let data = try? JSONEncoder().encode(text)
      return data.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
    var line =
      #"{"@timestamp":"\#(Self.timestamp())","log.level":"\#(level.rawValue)","message":\#(quoted(message)),"ecs.version":"1.6.0""#
    line += #","service.name":"vluma","log.logger":\#(quoted(label))"#
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      let name = key == "error" ? "error.message" : "labels.\(key.replacing(".", with: "_"))"
      line += ",\(quoted(name)):\(quoted("\(value)"))"
    }
    return line + "}\n"
  }
}
