import ArgumentParser
import Bookings
import Foundation
import Messaging
import Postgres

extension WhatsAppCommand {
  struct Number: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give a business a number to send from, or replace it.")

    @Argument(help: "The business' UUID.")
    var business: String
    @Argument(help: "The number's id at the provider (digits).")
    var phoneNumberID: String
    @Option(help: "The business account's id at the provider; suspensions and templates belong to it.")
    var account: String?
    @Option(help: "The number itself, as digits with the country code.")
    var display: String?

    func validate() throws {
      guard UUID(uuidString: business) != nil else { throw ValidationError("\"\(business)\" is not a UUID.") }
      for digits in [phoneNumberID, account, display].compactMap({ $0 })
      where digits.wholeMatch(of: /[0-9]{1,32}/) == nil {
        throw ValidationError("\"\(digits)\" must have digits only.")
      }
    }

    func run() async throws {
      guard let business = UUID(uuidString: business) else { return }
      let pool = try AppBuilder().pool()
      guard try await CatalogStore().timeZone(of: business, in: pool) != nil else {
        throw BusinessNotFound(id: business)
      }
      do {
        try await MessageStore().put(
          number: phoneNumberID, of: business, account: account, display: display, in: pool)
      } catch let error as PostgresError where error.sqlState == "23505" {
        throw NumberTaken(number: phoneNumberID)
      }
      await pool.close()
      print("\(business.uuidString.lowercased()) sends from \(phoneNumberID)")
    }

    private struct BusinessNotFound: Error, CustomStringConvertible {
      let id: UUID
      var description: String { "there is no business \(id.uuidString.lowercased())" }
    }

    private struct NumberTaken: Error, CustomStringConvertible {
      let number: String
      var description: String { "another business sends from \(number)" }
    }
  }
}
