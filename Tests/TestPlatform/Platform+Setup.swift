package import TestServers
package import WhatsAppSandbox

extension Platform {
  /// The settings of a platform: its queues.yaml, its servers, and its environment.
  package struct Setup: Sendable {
    package var maxAttempts = 5
    package var tiers = "[1s, 5s]"
    package var backoff = "{ base: 100ms, factor: 2, max: 1s, jitter: full }"
    package var batch = true
    /// What is recorded of accepted webhooks: ids or bodies.
    package var record = "ids"
    /// Servers; nil: those of the environment.
    package var rabbitMQ: ServerURL?
    package var postgres: ServerURL?
    package var redis: ServerURL?
    /// Proxies between the platform's processes and the servers; nil: none.
    package var rabbitMQProxy: TCPProxy?
    package var postgresProxy: TCPProxy?
    package var redisProxy: TCPProxy?
    /// nil: there is no WhatsApp sandbox, and the business has no number to send from.
    package var sandbox: SandboxConfiguration?
    /// How long a message in doubt waits for a status.
    package var inDoubtSeconds = 5
    /// What happens to a message in doubt then: resend or give_up.
    package var inDoubt = "resend"
    /// The rate limit of sending.
    package var rate = "80/s"

    package init() {}
  }
}
