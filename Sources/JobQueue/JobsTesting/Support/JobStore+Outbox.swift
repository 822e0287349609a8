internal import Jobs

extension JobStore {
  /// The entries of the outbox, oldest first. They stay there, in another order: entries that could not be published go
  /// to the end.
  func outbox() async throws -> [OutboxEntry] {
    let entries = Locked<[OutboxEntry]>([])
    _ = try await relayOutbox(olderThan: .zero, limit: 1_000) { relayed in
      entries.change { $0 += relayed }
      return []
    }
    return entries.value
  }
}
