import Foundation
import Testing
import WhatsApp

/// The provider's sample payloads, byte for byte.
enum Payload {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Payloads")

  /// The bytes of a file, which is named without its ending.
  static func data(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: "\(name).json")) }

  /// The names of all files, without their ending, in order.
  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }
}

/// A webhook's body with one change.
func webhook(_ value: String, field: String = "messages", account: String = "1", time: Int? = nil) -> Data {
  let clock = time.map { #","time":\#($0)"# } ?? ""
  let change = #"{"field":"\#(field)","value":\#(value)}"#
  let entry = #"{"id":"\#(account)"\#(clock),"changes":[\#(change)]}"#
  return Data(#"{"object":"whatsapp_business_account","entry":[\#(entry)]}"#.utf8)
}

/// The one update in a webhook with this value.
func onlyUpdate(_ value: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> WebhookUpdate {
  let updates = WebhookParser.updates(in: webhook(value))
  try #require(updates.count == 1, sourceLocation: sourceLocation)
  return updates[0]
}

/// A value's JSON in one form, keys sorted: a part's text is in the whole's text.
func canonical(_ value: Any) throws -> String {
  let data = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
  return String(decoding: data, as: UTF8.self)
}

/// What a JSON text says; throws where it is none.
func json(_ text: String) throws -> Any {
  try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
}

extension WebhookUpdate {
  /// The message, where it is one.
  var asMessage: InboundMessage? { if case .message(let message) = self { message } else { nil } }

  /// The status report, where it is one.
  var asStatus: StatusReport? { if case .status(let report) = self { report } else { nil } }

  /// The event, where it is one.
  var asEvent: ProviderEvent? { if case .event(let event) = self { event } else { nil } }

  /// What is stored of it.
  var raw: String {
    switch self {
    case .message(let message): message.raw
    case .status(let report): report.raw
    case .event(let event): event.raw
    }
  }
}
