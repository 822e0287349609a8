internal import ClientLoop
internal import Foundation
package import Jobs
internal import Synchronization

/// A dead letter index in memory. It shares receipts, outbox and ``InMemoryJobStore/isAvailable`` with a store, as in
/// one database.
package struct InMemoryDeadLetterIndex: DeadLetterIndex {
  private let store: InMemoryJobStore

  package init(store: InMemoryJobStore) { self.store = store }

  /// Waits for open transactions of the letters' jobs, as PostgreSQL's unique index does, and as long.
  package func record(_ letters: [DeadLetter]) async throws {
    try checkAvailable()
    let byRun = Dictionary(letters.map { ($0.jobRun, $0) }) { first, _ in first }
    let open = try await store.hold(Set(byRun.keys), until: TimeSource.now + .milliseconds(500))
    store.state.withLock { state in
      for letter in byRun.values { state.record(letter) }
      state.release(open)
    }
  }

  package func groups() async throws -> [DeadLetterGroup] {
    try checkAvailable()
    let rows = store.state.withLock { $0.letters.values.filter { $0.letter.state == .open } }
    let causes = Dictionary(grouping: rows) { row in
      let deadLetterInfo = row.letter.deadLetterInfo
      return [
        deadLetterInfo.fingerprint, deadLetterInfo.pool.rawValue, row.letter.kind.rawValue,
        deadLetterInfo.reason.rawValue,
      ]
    }
    let groups = causes.values.compactMap { rows -> DeadLetterGroup? in
      guard let latest = rows.max(by: { $0.letter.deadLetterInfo.at < $1.letter.deadLetterInfo.at }) else { return nil }
      let deadLetterInfo = latest.letter.deadLetterInfo
      return DeadLetterGroup(
        fingerprint: deadLetterInfo.fingerprint, pool: deadLetterInfo.pool, kind: latest.letter.kind.rawValue,
        reason: deadLetterInfo.reason, detail: deadLetterInfo.detail, count: rows.count,
        firstAt: rows.map(\.firstAt).min() ?? deadLetterInfo.at, lastAt: deadLetterInfo.at)
    }
    return groups.sorted { $0.lastAt > $1.lastAt }
  }

  package func letters(_ filter: DeadLetterFilter) async throws -> [DeadLetter] {
    try checkAvailable()
    return store.state.withLock { state in
      state.openLetters(filter).map { letter in
        guard !filter.readsBodies else { return letter }
        var bodiless = letter
        bodiless.body = Data()
        bodiless.envelope?.body = Data()
        return bodiless
      }
    }
  }

  package func retry(_ filter: DeadLetterFilter, by who: String) async throws -> RedriveResult {
    try checkAvailable()
    return store.state.withLock { state in
      var result = RedriveResult()
      for letter in state.openLetters(filter) {
        if state.retry(letter, by: who) { result.retried += 1 } else { result.skipped += 1 }
      }
      return result
    }
  }

  package func archive(_ filter: DeadLetterFilter, by who: String) async throws -> Int {
    try checkAvailable()
    return store.state.withLock { state in
      let chosen = state.openLetters(filter)
      for letter in chosen {
        state.letters[letter.jobRun]?.letter.state = .archived
        state.audit.append(.init(who: who, action: "dead.archive", target: letter.jobRun))
      }
      return chosen.count
    }
  }

  private func checkAvailable() throws {
    guard store.isAvailable else { throw JobStoreError.unavailable("made unavailable by the test") }
  }
}

extension DeadLetter {
  fileprivate var kind: JobKind { envelope?.kind ?? "unreadable" }
}

extension JobStoreState {
  /// Writes a letter and its receipt; a letter of a run that was completed or cancelled is dropped.
  fileprivate mutating func record(_ letter: DeadLetter) {
    let run = letter.jobRun
    let receipt =
      receipts[run]
      ?? InMemoryJobStore.Receipt(
        outcome: .dead, kind: letter.kind, pool: letter.deadLetterInfo.pool,
        reason: letter.deadLetterInfo.reason.rawValue)
    if receipts.updateValue(receipt, forKey: run) == nil {
      end(run, in: receipt.pool, isCounted: letter.envelope?.isCounted ?? false, JobFlow(dead: 1))
    }
    guard receipt.outcome == .dead else { return }
    if let known = letters[run]?.letter.deadLetterInfo.at {
      letters[run]?.letter.deadLetterInfo.at = max(known, letter.deadLetterInfo.at)
    } else {
      var letter = letter
      letter.state = .open
      letters[run] = DeadLetterRow(letter: letter, firstAt: letter.deadLetterInfo.at)
    }
  }

  fileprivate func openLetters(_ filter: DeadLetterFilter) -> [DeadLetter] {
    let chosen = letters.values.map(\.letter).filter { letter in
      letter.state == .open && (filter.pool.map { $0 == letter.deadLetterInfo.pool } ?? true)
        && (filter.fingerprint.map { $0 == letter.deadLetterInfo.fingerprint } ?? true)
        && (filter.ids.map { $0.contains(letter.jobRun.id) } ?? true)
    }
    let sorted = chosen.sorted { left, right in
      if left.deadLetterInfo.at != right.deadLetterInfo.at { return left.deadLetterInfo.at > right.deadLetterInfo.at }
      return left.jobRun.id < right.jobRun.id
    }
    return Array(sorted.prefix(filter.limit))
  }

  /// Puts the next run into the outbox; false: the letter is skipped.
  fileprivate mutating func retry(_ letter: DeadLetter, by who: String) -> Bool {
    let hasCompletedRun = receipts.contains { $0.key.id == letter.jobRun.id && $0.value.outcome == .completed }
    guard var envelope = letter.envelope, !hasCompletedRun else { return false }
    envelope.run = letter.jobRun.run + 1
    envelope.attempt = 1
    envelope.isCounted = true
    count(JobFlow(accepted: 1), in: letter.deadLetterInfo.pool)
    letters[letter.jobRun]?.letter.state = .retried
    // So old that the relay takes it at once.
    put(OutboxEntry(envelope: envelope, pool: letter.deadLetterInfo.pool), at: .distantPast)
    audit.append(.init(who: who, action: "dead.retry", target: envelope.jobRun))
    return true
  }
}
