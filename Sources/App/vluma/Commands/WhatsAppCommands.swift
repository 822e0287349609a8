import ArgumentParser
import Foundation
import Messaging
import Postgres
import Reports
import WhatsApp

struct WhatsAppCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "whatsapp", abstract: "The numbers businesses write from, and what keeps messages from being sent.",
    subcommands: [Number.self, Suspensions.self, Lift.self])

  struct Number: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give a business a number to write from, or replace it.")

    @Argument(help: "The business' UUID.")
    var business: String
    @Argument(help: "The number's id at the provider (digits).")
    var phoneNumberID: String
    @Option(help: "The business account's id at the provider; suspensions and templates are kept by it.")
    var account: String?
    @Option(help: "The number itself, as digits with the country code.")
    var display: String?

    func validate() throws {
      guard UUID(uuidString: business) != nil else { throw ValidationError("\"\(business)\" is no UUID.") }
      for digits in [phoneNumberID, account, display].compactMap({ $0 })
      where digits.wholeMatch(of: /[0-9]{1,32}/) == nil {
        throw ValidationError("\"\(digits)\" must have digits only.")
      }
    }

    func run() async throws {
      guard let business = UUID(uuidString: business) else { return }
      let pool = try AppBuilder().pool()
      guard try await RollupStore().zone(of: business, from: pool) != nil else { throw BusinessNotFound(id: business) }
      do {
        try await MessageStore().put(
          number: phoneNumberID, of: business, account: account, display: display, in: pool)
      } catch let error as PostgresError where error.sqlState == "23505" {
        throw NumberTaken(number: phoneNumberID)
      }
      await pool.close()
      print("\(business.uuidString.lowercased()) writes from \(phoneNumberID)")
    }
  }

  struct Suspensions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what is not sent for the time being, because WhatsApp refuses it.",
      discussion: "When a suspension's time is over one message tries; the suspension ends when one gets through.")

    @Flag(help: "Print JSON.")
    var json = false

    private struct Document: Encodable {
      let scope: String
      let key: String
      let code: Int
      let since: Date
      let tries_at: Date
    }

    func run() async throws {
      let pool = try AppBuilder().pool()
      let suspensions = try await SuspensionStore().all(in: pool)
      await pool.close()
      if json {
        return try printJSON(
          suspensions.map { suspension, since in
            Document(
              scope: suspension.scope.rawValue, key: suspension.key, code: suspension.code, since: since,
              tries_at: suspension.until)
          })
      }
      var table = TextTable(header: ["SCOPE", "KEY", "CODE", "SINCE", "TRIES AT"])
      for (suspension, since) in suspensions {
        table.add([
          suspension.scope.rawValue, suspension.key, "\(suspension.code)", since.formatted(.iso8601),
          suspension.until.formatted(.iso8601),
        ])
      }
      print(suspensions.isEmpty ? "Nothing is paused." : table.lines().joined(separator: "\n"))
    }
  }

  struct Lift: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End a suspension now: its messages are tried again.")

    @Argument(help: "number, template or account.")
    var scope: String
    @Argument(help: "The key, as vluma whatsapp suspensions shows it.")
    var key: String

    func run() async throws {
      guard let scope = ErrorPolicy.Scope(rawValue: scope), [.number, .template, .account].contains(scope) else {
        throw ValidationError("The scope must be number, template or account, not \"\(scope)\".")
      }
      let key = key
      let pool = try AppBuilder().pool()
      let isThere = try await SuspensionStore().all(in: pool).contains {
        $0.suspension.scope == scope && $0.suspension.key == key
      }
      if isThere { try await pool.withTransaction { try await SuspensionStore().lift([(scope, key)], in: $0) } }
      await pool.close()
      guard isThere else { throw NoSuspension(scope: scope.rawValue, key: key) }
      print("\(scope.rawValue) \(key): lifted")
    }
  }

  struct BusinessNotFound: Error, CustomStringConvertible {
    let id: UUID
    var description: String { "there is no business \(id.uuidString.lowercased())" }
  }

  struct NumberTaken: Error, CustomStringConvertible {
    let number: String
    var description: String { "another business writes from \(number)" }
  }

  struct NoSuspension: Error, CustomStringConvertible {
    let scope: String
    let key: String
    var description: String { "there is no suspension of \(scope) \(key); see vluma whatsapp suspensions" }
  }
}
