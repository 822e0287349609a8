import Curl
import Foundation
import Postgres
import Synchronization
import TestPlatform
import TestServers

/// The provider: posts messages of customers, each again and again until it is answered 200, and some once more all the
/// same.
final class WebhookLoad: Sendable {
  private struct State {
    var number = 0
    var posted = Set<String>()
    var accepted = Set<String>()
    var isStopped = false
  }

  private let platform: Platform
  private let pause: Duration
  private let address: @Sendable () -> String
  /// Bodies of the sample payloads, in two parts: what stands before the message's id, and behind it.
  private let samples: [(before: String, after: String)]
  private let state = Mutex(State())

  /// What all ids of this load begin with.
  private static let prefix = "wamid.fault."
  /// Messages that call for nothing but being stored.
  private static let names = ["in_text", "in_image", "in_audio_voice", "in_document", "in_location", "in_unsupported"]

  /// - Parameter pause: of each sender, between two posts.
  init(_ platform: Platform, pause: Duration, _ address: @escaping @Sendable () -> String) throws {
    self.platform = platform
    self.pause = pause
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

  /// Posts one message after the other until it is told to stop.
  func post() async throws {
    while let message = next() {
      while !state.withLock({ $0.isStopped }) {
        let response = try? await platform.webhook(message.body, at: address())
        if response?.status == 200 {
          state.withLock { _ = $0.accepted.insert(message.id) }
          break
        }
        try await Task.sleep(for: pause)
      }
      if message.isRepeated { _ = try? await platform.webhook(message.body, at: address()) }
      try await Task.sleep(for: pause)
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

  /// The four-way count of webhooks, and how many were accepted.
  struct Account: Sendable {
    var accepted = 0
    /// Accepted, and not stored.
    var lost = 0
    /// Stored, though the answer never came: allowed.
    var recovered = 0
    /// Stored, and never posted.
    var unexpected = 0
    /// Stored more than once.
    var duplicated = 0
  }

  /// Counts, when all work is done.
  func account() async throws -> Account {
    let (posted, accepted) = state.withLock { ($0.posted, $0.accepted) }
    var stored: [String: Int] = [:]
    for row in try await platform.pool.query(
      "SELECT wamid, count(*) FROM messaging.inbound_message WHERE wamid LIKE 'wamid.fault.%' GROUP BY wamid")
    {
      stored[try row.decode(0)] = try row.decode(1, as: Int.self)
    }
    let ids = Set(stored.keys)
    return Account(
      accepted: accepted.count, lost: accepted.subtracting(ids).count,
      recovered: ids.intersection(posted).subtracting(accepted).count, unexpected: ids.subtracting(posted).count,
      duplicated: stored.values.reduce(0) { $0 + $1 - 1 })
  }
}
