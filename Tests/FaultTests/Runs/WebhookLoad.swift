import Curl
import Foundation
import Postgres
import Synchronization
import TestPlatform
import TestServers

/// Posts customers' messages as the provider does: each is repeated until it is answered 200, and some once more.
final class WebhookLoad: Sendable {
  private struct State {
    var number = 0
    var posted = Set<String>()
    var accepted = Set<String>()
    var isStopped = false
  }

  private let platform: Platform
  private let interval: Duration
  private let address: @Sendable () -> String
  /// The sample payloads, each in two parts: before the message's id, and after it.
  private let samples: [(before: String, after: String)]
  private let state = Mutex(State())

  private static let prefix = "wamid.fault."
  /// Messages that are only stored.
  private static let names = ["in_text", "in_image", "in_audio_voice", "in_document", "in_location", "in_unsupported"]

  /// - Parameter interval: the delay between two posts of a sender.
  init(_ platform: Platform, interval: Duration, _ address: @escaping @Sendable () -> String) throws {
    self.platform = platform
    self.interval = interval
    self.address = address
    let folder = repository.appending(path: "Tests/Messaging/WhatsAppTests/Payloads")
    samples = try Self.names.map { name in
      let text = try String(contentsOf: folder.appending(path: "\(name).json"), encoding: .utf8)
      guard let match = text.firstMatch(of: /"id": "(wamid\.[^"]+)"/) else {
        throw TestError(description: "\(name).json holds no message id")
      }
      return (before: String(text[..<match.1.startIndex]), after: String(text[match.1.endIndex...]))
    }
  }

  func stop() { state.withLock { $0.isStopped = true } }

  /// Posts one message after the other until ``stop()``.
  func post() async throws {
    while let message = next() {
      while !state.withLock({ $0.isStopped }) {
        let response = try? await platform.webhook(message.body, at: address())
        if response?.status == 200 {
          state.withLock { _ = $0.accepted.insert(message.id) }
          break
        }
        try await Task.sleep(for: interval)
      }
      if message.isRepeated { _ = try? await platform.webhook(message.body, at: address()) }
      try await Task.sleep(for: interval)
    }
  }

  private func next() -> (id: String, body: Data, isRepeated: Bool)? {
    let number: Int? = state.withLock { state in
      guard !state.isStopped else { return nil }
      state.number += 1
      state.posted.insert("\(Self.prefix)\(state.number)")
      return state.number
    }
    guard let number else { return nil }
    let id = "\(Self.prefix)\(number)"
    let sample = samples[number % samples.count]
    return (id, Data((sample.before + id + sample.after).utf8), number.isMultiple(of: 5))
  }

  /// The comparison of accepted with stored messages.
  struct Reconciliation: Sendable {
    var accepted = 0
    /// Accepted and not stored.
    var lost = 0
    /// Stored without an answer: allowed.
    var recovered = 0
    /// Stored and never posted.
    var unexpected = 0
    /// Stored more than once.
    var duplicated = 0
  }

  func reconcile() async throws -> Reconciliation {
    let (posted, accepted) = state.withLock { ($0.posted, $0.accepted) }
    var stored: [String: Int] = [:]
    for row in try await platform.pool.query(
      "SELECT wamid, count(*) FROM messaging.inbound_message WHERE wamid LIKE 'wamid.fault.%' GROUP BY wamid")
    {
      stored[try row.decode(0)] = try row.decode(1, as: Int.self)
    }
    let ids = Set(stored.keys)
    return Reconciliation(
      accepted: accepted.count, lost: accepted.subtracting(ids).count,
      recovered: ids.intersection(posted).subtracting(accepted).count, unexpected: ids.subtracting(posted).count,
      duplicated: stored.values.reduce(0) { $0 + $1 - 1 })
  }
}
