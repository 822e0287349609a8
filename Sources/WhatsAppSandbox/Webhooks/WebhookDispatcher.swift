internal import Curl
internal import Foundation
internal import Logging
internal import Synchronization

/// Posts webhooks when they are due, and again until they are answered 2xx: a compressed form of Meta's seven days.
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
  private let semaphore = AsyncSemaphore(count: 32)
  private let pending = Mutex(0)
  private let queue: AsyncStream<Due>
  private let queueContinuation: AsyncStream<Due>.Continuation

  /// More webhooks than this are not kept, so that memory has a bound: about 1 KB each.
  private static let pendingMax = 50_000
  /// How long a receiver may take to answer.
  private static let answerTimeout = Duration.seconds(10)
  private static let initialBackoff = Duration.milliseconds(250)
  private static let maxBackoff = Duration.seconds(2)
  /// How long a webhook is tried, from the moment it is due.
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

  /// Where webhooks go from now on, those under way included.
  func setURL(_ url: String) { self.url.withLock { $0 = url } }

  /// Posts the webhook after a while, in the background.
  func post(_ webhook: Webhook, after delay: Duration = .zero) {
    let isTaken: Bool = pending.withLock { pending in
      guard pending < Self.pendingMax else { return false }
      pending += 1
      return true
    }
    guard isTaken else {
      logger.warning("a webhook was dropped: \(Self.pendingMax) are waiting already")
      log.write(webhook, outcome: "given up")
      return
    }
    queueContinuation.yield(Due(webhook: webhook, time: ContinuousClock.now + delay))
  }

  /// Posts until the task is cancelled. To be run once.
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
          log.write(due.webhook, outcome: "given up")
          return
        }
        try await Task.sleep(for: backoff)
        backoff = min(backoff * 2, Self.maxBackoff)
      }
    } catch {
      // Only cancellation comes here: the sandbox stops.
    }
  }

  /// Posts the webhook once; false where it is to be posted again.
  private func attempt(_ webhook: Webhook) async throws -> Bool {
    await semaphore.acquire()
    defer { semaphore.release() }
    try Task.checkCancellation()
    guard let url = self.url.withLock({ $0 }) else {
      log.write(webhook, outcome: "nowhere to go")
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
      let isAnswered = (200...299).contains(response.status)
      log.write(webhook, outcome: isAnswered ? "answered" : "refused", httpStatus: response.status)
      if isAnswered, let status = webhook.status, let wamid = webhook.wamid { history.answered(status, of: wamid) }
      return isAnswered
    } catch {
      try Task.checkCancellation()
      log.write(webhook, outcome: "unanswered")
      return false
    }
  }
}
