import ArgumentParser
import Foundation
import Postgres
import Stores
import WhatsApp

struct WhatsAppCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "whatsapp", abstract: "The numbers businesses write from, and what keeps messages from being sent.",
    subcommands: [Number.self, Pauses.self, Lift.self])

  struct Number: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Give a business a number to write from, or replace it.")

    @Argument(help: "The business' UUID.")
    var business: String
    @Argument(help: "The number's id at the provider (digits).")
    var phoneNumberID: String
    @Option(help: "The business account's id at the provider; pauses and templates are kept by it.")
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
      let pool = try Composition().pool()
      guard try await RollupStore().zone(of: business, from: pool) != nil else { throw NoBusiness(id: business) }
      do {
        try await OutboundStore().put(
          number: phoneNumberID, of: business, account: account, display: display, in: pool)
      } catch let error as PostgresError where error.sqlState == "23505" {
        throw NumberTaken(number: phoneNumberID)
      }
      await pool.close()
      print("\(business.uuidString.lowercased()) writes from \(phoneNumberID)")
    }
  }

  struct Pauses: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what is not sent for the time being, because WhatsApp refuses it.",
      discussion: "When a pause's time is over one message tries; the pause ends when one gets through.")

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
      let pool = try Composition().pool()
      let pauses = try await PauseStore().all(in: pool)
      await pool.close()
      if json {
        return try printJSON(
          pauses.map { pause, since in
            Document(
              scope: pause.scope.rawValue, key: pause.key, code: pause.code, since: since, tries_at: pause.until)
          })
      }
      var table = TextTable(header: ["SCOPE", "KEY", "CODE", "SINCE", "TRIES AT"])
      for (pause, since) in pauses {
        table.add([
          pause.scope.rawValue, pause.key, "\(pause.code)", since.formatted(.iso8601), pause.until.formatted(.iso8601),
        ])
      }
      print(pauses.isEmpty ? "Nothing is paused." : table.lines().joined(separator: "\n"))
    }
  }

  struct Lift: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End a pause now: its messages are tried again.")

    @Argument(help: "number, template or account.")
    var scope: String
    @Argument(help: "The key, as vluma whatsapp pauses shows it.")
    var key: String

    func run() async throws {
      guard let scope = SendVerdict.Scope(rawValue: scope), [.number, .template, .account].contains(scope) else {
        throw ValidationError("The scope must be number, template or account, not \"\(scope)\".")
      }
      let key = key
      let pool = try Composition().pool()
      let isThere = try await PauseStore().all(in: pool).contains { $0.pause.scope == scope && $0.pause.key == key }
      if isThere { try await pool.withTransaction { try await PauseStore().lift([(scope, key)], in: $0) } }
      await pool.close()
      guard isThere else { throw NoPause(scope: scope.rawValue, key: key) }
      print("\(scope.rawValue) \(key): lifted")
    }
  }

  struct NoBusiness: Error, CustomStringConvertible {
    let id: UUID
    var description: String { "there is no business \(id.uuidString.lowercased())" }
  }

  struct NumberTaken: Error, CustomStringConvertible {
    let number: String
    var description: String { "another business writes from \(number)" }
  }

  struct NoPause: Error, CustomStringConvertible {
    let scope: String
    let key: String
    var description: String { "there is no pause of \(scope) \(key); see vluma whatsapp pauses" }
  }
}
