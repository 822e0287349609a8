/// Meta's error codes with their texts and HTTP statuses.
enum ErrorCatalog {
  /// The texts of one code.
  struct Entry: Sendable {
    let title: String
    let details: String
  }

  /// The HTTP status of a code in Meta's list; 400 for most and for unknown ones.
  static func httpStatus(_ code: Int) -> Int {
    switch code {
    case 0, 190: 401
    case 3, 10, 200...299, 368, 130_497, 131_005, 131_031: 403
    case 132_001: 404
    case 131_000, 131_045, 131_057: 500
    case 2, 131_016, 133_004: 503
    default: 400
    }
  }

  /// The texts of a code; generic ones where it is unknown.
  static func entry(_ code: Int) -> Entry {
    (132_000...132_999).contains(code) ? templates(code) : general(code)
  }

  private static func general(_ code: Int) -> Entry {
    switch code {
    case 4: Entry(title: "Application request limit reached", details: "The app has reached its API call rate limit.")
    case 100: Entry(title: "Invalid parameter", details: "A parameter is invalid or not supported.")
    case 368: Entry(title: "Temporarily blocked for policies violations", details: "The account is restricted.")
    case 80_007: Entry(title: "Rate limit issues", details: "The account has reached its rate limit.")
    case 130_429: Entry(title: "Rate limit hit", details: tooMany("from this phone number in a short period of time"))
    case 131_000: Entry(title: "Something went wrong", details: "Message failed to send due to an unknown error.")
    case 131_008: Entry(title: "Required parameter is missing", details: "A required parameter is missing.")
    case 131_009: Entry(title: "Parameter value is not valid", details: "One or more parameter values are invalid.")
    case 131_016: Entry(title: "Service unavailable", details: "A service is temporarily unavailable.")
    case 131_021: Entry(title: "Recipient cannot be sender", details: "Recipient and sender are the same number.")
    case 131_026: Entry(title: "Message undeliverable", details: "Message Undeliverable.")
    case 131_031: Entry(title: "Account has been locked", details: "The account is restricted or disabled.")
    case 131_042: Entry(title: "Business eligibility payment issue", details: "There is an issue with the payment.")
    case 131_047: Entry(title: "Re-engagement message", details: outsideWindow)
    case 131_048: Entry(title: "Spam rate limit hit", details: "Too many messages of this number were blocked.")
    case 131_049: Entry(title: "This message was not delivered to maintain healthy ecosystem engagement.", details: cap)
    case 131_050: Entry(title: "User has stopped marketing messages", details: stopped)
    case 131_051: Entry(title: "Unsupported message type", details: "Message type is not currently supported.")
    case 131_056: Entry(title: "(Business Account, Consumer Account) pair rate limit hit", details: tooMany(toOnePair))
    case 131_057: Entry(title: "Account in maintenance mode", details: "The account is in maintenance mode.")
    default: Entry(title: "Error \(code)", details: "Message failed to send.")
    }
  }

  private static func templates(_ code: Int) -> Entry {
    let title =
      switch code {
      case 132_000: "Number of parameters does not match the expected number of params"
      case 132_001: "Template name does not exist in the translation"
      case 132_005: "Translated text too long"
      case 132_012: "Parameter format does not match format in the created template"
      case 132_015: "Template is Paused"
      case 132_016: "Template is Disabled"
      case 132_018: "There was an issue with the parameters in your template"
      default: "Template error \(code)"
      }
    return Entry(title: title, details: "\(title).")
  }

  private static func tooMany(_ rest: String) -> String {
    "Message failed to send because there were too many messages sent \(rest)"
  }

  private static let toOnePair = "from this phone number to the same phone number in a short period of time."
  private static let outsideWindow =
    "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
  private static let cap =
    "In order to maintain a healthy ecosystem engagement, the message failed to be delivered."
  private static let stopped = "Recipient chose to stop receiving marketing messages from this business."
}
