/// The result of posting a webhook, as the log names it.
enum WebhookOutcome: String {
  /// Answered 2xx.
  case delivered
  /// Answered with another status; it is posted again.
  case rejected
  /// Not answered; it is posted again.
  case failed
  case noURL = "no_url"
  case gaveUp = "gave_up"
}
