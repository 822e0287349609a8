/// The secrets shared with the provider; neither may be empty.
package struct WhatsAppSecrets: Sendable {
  /// The key of the signatures on webhooks.
  let appSecret: String
  /// The token the provider sends when a webhook is set up.
  let verifyToken: String

  package init(appSecret: String, verifyToken: String) {
    self.appSecret = appSecret
    self.verifyToken = verifyToken
  }
}
