import TestPlatform
import Testing
import WhatsAppSandbox

/// Messages and webhooks, and what operators see of them. One platform at a time: each has processes of its own.
@Suite(.serialized, .timeLimit(.minutes(3)))
enum MessagingTests {}

/// Runs `body` with a platform that has the WhatsApp sandbox, ingest and one worker.
func withMessaging(
  _ setup: Platform.Setup = .init(), _ body: (Platform, SandboxHost, String) async throws -> Void
) async throws {
  var setup = setup
  if setup.sandbox == nil { setup.sandbox = .quick }
  try await Platform.with(setup) { platform in
    let sandbox = try #require(platform.sandbox)
    let (_, address) = try await platform.startIngest()
    try await platform.startWorker()
    try await body(platform, sandbox, address)
  }
}
