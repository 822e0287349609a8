/// The port to WhatsApp's Cloud API.
package protocol MessageSender: Sendable {
  /// Sends a message once and waits for the answer. Cancelling makes it ``SendResult/inDoubt(reason:)`` if the request
  /// may have arrived.
  func send(_ message: TemplateMessage) async -> SendResult
}
