internal import Foundation
internal import Logging
internal import Synchronization

/// The file that gets a JSON line per decided request and per webhook posted. Recipients are masked, and names, texts,
/// tokens and secrets are not in it.
final class SandboxLog: Sendable {
  private let file: Mutex<FileHandle?>

  /// Opens the file for appending and makes it where there is none. A file that cannot be opened is reported and done
  /// without.
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

  /// A request was decided on.
  ///
  /// - Parameter httpStatus: of the answer; nil where there was none.
  func write(_ entry: MessageRecord, httpStatus: Int?) {
    write([
      "what": "request", "to": .string(PhoneDigits.masked(entry.to)), "wamid": .optional(entry.wamid),
      "callback": .optional(entry.callback), "outcome": .string(entry.outcome.rawValue),
      "accepted": .bool(entry.isAccepted), "code": .optional(entry.code), "http_status": .optional(httpStatus),
    ])
  }

  /// A webhook was posted, or given up.
  ///
  /// - Parameter outcome: `answered`, `refused`, `unanswered`, `nowhere to go` or `given up`.
  func write(_ webhook: Webhook, outcome: String, httpStatus: Int? = nil) {
    write([
      "what": .string(webhook.what), "wamid": .optional(webhook.wamid), "callback": .optional(webhook.callback),
      "outcome": .string(outcome), "code": .optional(webhook.code), "http_status": .optional(httpStatus),
    ])
  }

  private func write(_ fields: [String: JSONValue]) {
    file.withLock { file in
      guard let file else { return }
      var fields = fields
      fields["at"] = .string(Timestamp.text(Date()))
      // One short write to a local file: not worth a thread of its own. A full disk must not stop the sandbox.
      try? file.write(contentsOf: JSONValue.object(fields).data() + Data("\n".utf8))
    }
  }
}
