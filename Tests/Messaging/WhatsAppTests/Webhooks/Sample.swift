import Testing

/// A payload, and all that is to be read from it: each update as ``text(of:)`` writes it.
struct Sample: Sendable, CustomTestStringConvertible {
  let file: String
  let updates: [String]

  /// Line breaks in the updates count as spaces.
  init(_ file: String, _ updates: String...) {
    self.file = file
    self.updates = updates.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
  }

  var testDescription: String { file }

  /// Every payload there is.
  static let all = messages + interactions + statuses + events + noWebhooks
}

extension Sample {
  /// Requests and answers of the API: were one of them posted to the webhook, it would be stored, and nothing more.
  static let noWebhooks = [
    "err_130429_http400", "err_131047_http400", "err_131056_http400", "err_132000_http400", "err_132001_http404",
    "err_190_http401", "err_2_http503_transient", "resp_ok", "resp_ok_template_accepted_br_wa_id_differs",
    "send_interactive_buttons", "send_interactive_list", "send_mark_read_typing", "send_template_named_params",
    "send_template_positional", "send_text", "send_to_bsuid",
  ].map { Sample($0, "event unknown effect=none") }
}
