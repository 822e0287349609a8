package import Foundation
package import Postgres
package import WhatsApp

extension InboundStore {
  /// Stores which account each number belongs to; a stored account is not changed.
  package func storeAccounts(_ accounts: [String: String], in transaction: PostgresTransaction) async throws {
    guard !accounts.isEmpty else { return }
    let numbers = accounts.keys.sorted()
    try await transaction.query(
      """
      INSERT INTO messaging.phone_number_account
      SELECT * FROM unnest(\(numbers)::text[], \(numbers.map { accounts[$0] ?? "" })::text[]) ON CONFLICT DO NOTHING
      """)
  }

  /// Stores whether a template may be used; false: a later state is stored already.
  package func put(
    template name: String, language: String, account: String, state: ProviderEvent.TemplateState, at: Date,
    in transaction: PostgresTransaction
  ) async throws -> Bool {
    try await transaction.query(
      """
      INSERT INTO messaging.template_state AS known (account_id, name, language, state, occurred_at)
      VALUES (\(account), \(name), \(language), \(state.rawValue), \(at))
      ON CONFLICT (account_id, name, language) DO UPDATE SET state = excluded.state, occurred_at = excluded.occurred_at
        WHERE known.occurred_at <= excluded.occurred_at
      """
    ).affectedRows == 1
  }

  /// Stores which recipients want no marketing; the latest choice by the provider's clock counts. (All messages are of
  /// the category utility so far: nothing reads this yet.)
  package func put(
    _ preferences: [(number: String, preference: ProviderEvent.Preference, at: Date)],
    in transaction: PostgresTransaction
  ) async throws {
    struct Key: Hashable {
      let number: String
      let recipient: String
    }
    var latest: [Key: (optedOut: Bool, at: Date)] = [:]
    for (number, preference, at) in preferences {
      let key = Key(number: number, recipient: preference.recipient)
      if latest[key].map({ $0.at <= at }) ?? true { latest[key] = (preference.optedOut, at) }
    }
    guard !latest.isEmpty else { return }
    // In a fixed order, so that two batches do not deadlock.
    let rows = latest.sorted { ($0.key.number, $0.key.recipient) < ($1.key.number, $1.key.recipient) }
    try await transaction.query(
      """
      INSERT INTO messaging.marketing_opt_out AS known (phone_number_id, recipient, opted_out, occurred_at)
      SELECT * FROM unnest(\(rows.map(\.key.number))::text[], \(rows.map(\.key.recipient))::text[],
        \(rows.map(\.value.optedOut))::boolean[], \(rows.map(\.value.at))::timestamptz[])
      ON CONFLICT (phone_number_id, recipient) DO UPDATE
        SET opted_out = excluded.opted_out, occurred_at = excluded.occurred_at
        WHERE known.occurred_at <= excluded.occurred_at
      """)
  }
}
