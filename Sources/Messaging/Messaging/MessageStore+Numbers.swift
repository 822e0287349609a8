package import Foundation
package import Postgres

extension MessageStore {
  /// Stores the provider's id of a customer's number.
  package func storeRecipientID(
    _ recipientID: String, for number: String, of business: UUID, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      """
      INSERT INTO messaging.recipient (business_id, number, recipient_id)
      VALUES (\(business), \(number), \(recipientID))
      ON CONFLICT (business_id, number) DO UPDATE
        SET recipient_id = excluded.recipient_id, updated_at = clock_timestamp()
      """)
  }

  /// For an id that cannot be delivered to.
  package func deleteRecipientID(
    of number: String, of business: UUID, in transaction: PostgresTransaction
  ) async throws {
    try await transaction.query(
      "DELETE FROM messaging.recipient WHERE business_id = \(business) AND number = \(number)")
  }

  /// Sets the number that a business sends from.
  package func put(
    number: String, of business: UUID, account: String?, display: String?, in pool: PostgresConnectionPool
  ) async throws {
    try await pool.query(
      """
      INSERT INTO messaging.phone_number AS number (phone_number_id, business_id, account_id, display_number)
      VALUES (\(number), \(business), \(account), \(display))
      ON CONFLICT (business_id) DO UPDATE SET phone_number_id = excluded.phone_number_id,
        account_id = coalesce(excluded.account_id, number.account_id),
        display_number = coalesce(excluded.display_number, number.display_number)
      """)
  }
}
