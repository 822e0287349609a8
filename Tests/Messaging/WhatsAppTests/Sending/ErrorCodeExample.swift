import Testing
import WhatsApp

/// A row of the provider's error codes, with the class the documentation gives it.
///
/// Classes: `R` retry, `R ×n` that often, `RA n s scope` after a delay, `P` permanent, `S` suppress the recipient,
/// `PW`, `PN` and `PT` suspend account, number or template.
struct ErrorCodeExample: Sendable, CustomTestStringConvertible {
  let code: Int
  /// The status it usually comes with.
  let http: Int
  let policy: String

  var testDescription: String { "\(code)" }

  private static func rows(_ policy: String, _ http: Int, _ codes: Int...) -> [ErrorCodeExample] {
    codes.map { ErrorCodeExample(code: $0, http: http, policy: policy) }
  }

  /// The whole table, for messages that were refused for the first time.
  static let table: [ErrorCodeExample] = [
    rows("PW", 401, 0, 190),
    rows("PW", 403, 3, 10, 200, 201, 230, 298, 299, 131005),
    rows("R ×3", 400, 1),
    rows("R", 503, 2),
    // The whole app's limit: there is no scope that is wider than an account.
    rows("RA 900 s account", 400, 4),
    rows("RA 900 s account", 400, 80007),
    rows("PN", 400, 33),
    rows("P", 400, 100, 131008, 131009),
    rows("PW", 403, 368, 131031),
    rows("P", 403, 130497),
    rows("RA 1 s number", 400, 130429),
    rows("P", 400, 130472),
    rows("R", 500, 131000, 131016),
    rows("R", 503, 133004),
    rows("P", 400, 131021),
    rows("P, or the alternate number", 400, 131026),
    rows("P", 400, 131030),
    rows("PN", 400, 131037, 131045, 133010, 133006),
    rows("PW", 400, 131042, 134011),
    rows("P", 400, 131047, 131049),
    rows("PN", 400, 131048),
    rows("S", 400, 131050),
    rows("P", 400, 131051, 131052),
    rows("R ×2", 400, 131053),
    rows("RA 1 s pair", 400, 131056),
    rows("RA 60 s number", 500, 131057),
    rows("P", 400, 131062, 131063),
    rows("PT", 400, 131064),
    rows("P", 400, 132000, 132005, 132012, 132018),
    rows("PT", 404, 132001),
    rows("PT", 400, 132007, 132015, 132016, 132068),
    rows("RA 3600 s template", 400, 132069),
    rows("RA 300 s number", 400, 133015),
    rows("R ×1", 400, 135000),
    rows("P", 400, 137000),
  ].flatMap { $0 }
}

extension ErrorPolicy {
  /// The class of the policy, as ``ErrorCodeExample`` writes it.
  var text: String {
    switch self {
    case .retry(nil): "R"
    case .retry(let most?): "R ×\(most)"
    case .retryAfter(let delay, let scope): "RA \(delay.components.seconds) s \(scope.rawValue)"
    case .permanent: "P"
    case .undeliverable: "P, or the alternate number"
    case .suppress: "S"
    case .suspend(.account, _): "PW"
    case .suspend(.number, _): "PN"
    case .suspend(.template, _): "PT"
    case .suspend(let scope, _): "suspend \(scope.rawValue)"
    }
  }
}
