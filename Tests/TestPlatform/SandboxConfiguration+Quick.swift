package import WhatsAppSandbox

extension SandboxConfiguration {
  /// Posts statuses soon, some twice and some in another order.
  package static var quick: SandboxConfiguration {
    var configuration = SandboxConfiguration(token: Platform.token, appSecret: Platform.appSecret)
    configuration.statusDelay = .milliseconds(10) ... .milliseconds(150)
    configuration.duplicateShare = 0.3
    configuration.reorderedShare = 0.3
    return configuration
  }
}
