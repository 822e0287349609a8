internal import ClientLoop
internal import Curl
internal import Foundation
internal import Logging
internal import Synchronization

/// Posts webhooks when they are due, and again until they are answered 2xx. Meta repeats them for seven days; the
/// sandbox for ten minutes.
final class WebhookDispatcher: Sendable {
  private struct Due: Sendable {
    let webhook: Webhook
    let time: ContinuousClock.Instant
  }

  private let secret: String
  private let url: Mutex<String?>
  private let history: MessageHistory
  private let log: SandboxLog
  private let logger: Logger
  private let client = CurlClient()
  private let semaphore = AsyncSemaphore(permits: 32)
  private let pending = Mutex(0)
  private let queue: AsyncStream<Due>
  private let queueContinuation: AsyncStream<Due>.Continuation

  /// Bounds the memory: a webhook takes about 1 KB. Further ones are dropped.
  private static let pendingMax = 50_000
  private static let answerTimeout = Duration.seconds(10)
  private static let initialBackoff = Duration.milliseconds(250)
  private static let maxBackoff = Duration.seconds(2)
  /// How long a webhook is repeated, from when it is due.
  private static let retryWindow = Duration.seconds(600)

  init(configuration: SandboxConfiguration, history: MessageHistory, log: SandboxLog, logger: Logger) {
    secret = configuration.appSecret
    url = Mutex(configuration.webhookURL)
    self.history = history
    self.log = log
    self.logger = logger
    let (stream, continuation) = AsyncStream<Due>.makeStream()
    queue = stream
    queueContinuation = continuation
  }

  /// Sets where webhooks are posted, those under way included.
  func setURL(_ url: String) { self.url.withLock { $0 = url } }

  /// Posts the webhook after the delay, in the background.
  func post(_ webhook: Webhook, after delay: Duration = .zero) {
    let isAccepted: Bool = pending.withLock { pending in
      guard pending < Self.pendingMax else { return false }
      pending += 1
      return true
    }
    guard isAccepted else {
      logger.warning("webhook dropped: \(Self.pendingMax) are queued")
      log.write(webhook, outcome: .gaveUp)
      return
    }
    queueContinuation.yield(Due(webhook: webhook, time: ContinuousClock.now + delay))
  }

  /// Posts until the task is cancelled. Call it once.
  func run() async {
    await withDiscardingTaskGroup { group in
      for await due in queue {
        group.addTask { await self.deliver(due) }
      }
    }
  }

  private func deliver(_ due: Due) async {
    defer { pending.withLock { $0 -= 1 } }
    do {
      try await Task.sleep(until: due.time, clock: .continuous)
      let end = due.time + Self.retryWindow
      var backoff = Self.initialBackoff
      while try await !attempt(due.webhook) {
        guard ContinuousClock.now + backoff < end else {
          log.write(due.webhook, outcome: .gaveUp)
          return
        }
        try await Task.sleep(for: backoff)
        backoff = min(backoff * 2, Self.maxBackoff)
      }
    } catch {
      // The only error is cancellation: the sandbox stops.
    }
  }

  /// Posts the webhook once; false: it must be posted again.
  private func attempt(_ webhook: Webhook) async throws -> Bool {
    try await semaphore.acquire()
    defer { semaphore.release() }
    guard let url = self.url.withLock({ $0 }) else {
      log.write(webhook, outcome: .noURL)
      return true
    }
    let signature = WebhookEncoding.signature(of: webhook.body, secret: secret)
    let request = CurlRequest(
      "POST", url,
      headers: [
        (name: "Content-Type", value: "application/json"), (name: WebhookEncoding.signatureHeader, value: signature),
      ], body: webhook.body, timeout: Self.answerTimeout, responseBytesMax: 1 << 20)
    do {
      let response = try await client.send(request)
      let isDelivered = (200...299).contains(response.status)
      log.write(webhook, outcome: isDelivered ? .delivered : .rejected, httpStatus: response.status)
      if isDelivered, let status = webhook.status, let wamid = webhook.wamid { history.recordStatus(status, of: wamid) }
      return isDelivered
    } catch {
      try Task.checkCancellation()
      log.write(webhook, outcome: .failed)
      return false
    }
  }
}
