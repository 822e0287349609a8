internal import Foundation
internal import Logging
internal import Synchronization

/// A file with a JSON line for each decided request and each posted webhook. Recipients are masked; names, texts,
/// tokens and secrets are not written.
final class SandboxLog: Sendable {
  private let file: Mutex<FileHandle?>

  /// Opens the file for appending, or creates it. Where that fails, logs a warning and writes nothing.
  ///
  /// - Parameter path: nil: nothing is written.
  init(path: String?, logger: Logger) {
    let handle = path.flatMap { Self.open($0) }
    if let path, handle == nil {
      logger.warning("the sandbox's log file cannot be written; going on without", metadata: ["file": "\(path)"])
    }
    file = Mutex(handle)
  }

  private static func open(_ path: String) -> FileHandle? {
    if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    guard let handle = FileHandle(forWritingAtPath: path), (try? handle.seekToEnd()) != nil else { return nil }
    return handle
  }

  /// - Parameter httpStatus: nil: the request was not answered.
  func write(_ record: MessageRecord, httpStatus: Int?) {
    write([
      "event": "request", "to": .string(PhoneDigits.masked(record.to)), "wamid": .optional(record.wamid),
      "callback": .optional(record.callback), "outcome": .string(record.outcome.rawValue),
      "accepted": .bool(record.isAccepted), "code": .optional(record.code), "http_status": .optional(httpStatus),
    ])
  }

  func write(_ webhook: Webhook, outcome: WebhookOutcome, httpStatus: Int? = nil) {
    write([
      "event": .string(webhook.event), "wamid": .optional(webhook.wamid), "callback": .optional(webhook.callback),
      "outcome": .string(outcome.rawValue), "code": .optional(webhook.code), "http_status": .optional(httpStatus),
    ])
  }

  private func write(_ fields: [String: JSONValue]) {
    file.withLock { file in
      guard let file else { return }
      var fields = fields
      fields["at"] = .string(Timestamp.iso8601(Date()))
      // One short write to a local file needs no thread of its own. A full disk must not stop the sandbox.
      try? file.write(contentsOf: JSONValue.object(fields).data() + Data("\n".utf8))
    }
  }
}
