import Foundation
import Synchronization
import TestPlatform
import TestServers

/// Customers who book one slot after the other; they compete for every third one.
final class BookingLoad: Sendable {
  private struct State {
    var accepted = Set<UUID>()
    var inDoubt = Set<String>()
    var answers = 0
    var isStopped = false
  }

  private let platform: Platform
  private let interval: Duration
  private let address: @Sendable () -> String
  private let state = Mutex(State())

  /// - Parameter interval: the delay between two requests of a customer.
  init(_ platform: Platform, interval: Duration = .zero, _ address: @escaping @Sendable () -> String) {
    self.platform = platform
    self.interval = interval
    self.address = address
  }

  /// The accepted bookings, and the customers whose requests are in doubt.
  var result: (accepted: Set<UUID>, inDoubt: Set<String>) { state.withLock { ($0.accepted, $0.inDoubt) } }

  func stop() { state.withLock { $0.isStopped = true } }

  func waitForAnswers(more: Int) async throws {
    let goal = state.withLock { $0.answers } + more
    try await eventually(within: .seconds(60), "\(more) more customers are answered") {
      self.state.withLock { $0.answers } >= goal
    }
  }

  func customer(_ number: Int) async throws {
    var index = 0
    while !state.withLock({ $0.isStopped }) {
      let slot = index.isMultiple(of: 3) ? index : index * 4 + number
      let address = address()
      let name = "Maria \(number) \(index)"
      let answer = try await platform.book(slot % 14_000, at: address, customer: name)
      if answer?.status == 0 {  // ingest is down, or turns clients away
        try await Task.sleep(for: .milliseconds(100))
        continue
      }
      state.withLock { state in
        if let answer, answer.status == 202, let booking = answer.booking {
          state.accepted.insert(booking)
          state.answers += 1
        } else if answer?.isInDoubt ?? true {
          state.inDoubt.insert(name)
        }
      }
      index += 1
      if interval > .zero { try await Task.sleep(for: interval) }
    }
  }
}
