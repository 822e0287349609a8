/// The status of a message in a status webhook.
enum MessageStatus: String, Sendable {
  case sent, delivered, read, failed
}
