import ArgumentParser
import Foundation
import Postgres
import Reports

struct Report: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What was counted: bookings, messages and jobs, per business.", subcommands: [Day.self])

  struct Day: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One day, each business by its own calendar.",
      discussion: "Webhooks and other jobs of no known business stand under a business without a name, by UTC.")

    @Argument(help: "The day, such as 2026-11-23; today by default.")
    var date: String?
    @Option(help: "Only this business (its UUID).")
    var business: String?
    @Flag(help: "Print JSON.")
    var json = false

    /// One business' day.
    private struct Document: Encodable {
      struct Count: Encodable {
        let metric: String
        let detail: String?
        let count: Int
      }
      let business_id: String
      let name: String
      let date: String
      let time_zone: String
      let counts: [Count]
    }

    func validate() throws {
      if let date, RollupCalendar(zone: .gmt).day(date) == nil {
        throw ValidationError("\"\(date)\" is no date such as 2026-11-23, from 2000 to 2099.")
      }
      if let business, UUID(uuidString: business) == nil { throw ValidationError("--business must be a UUID.") }
    }

    func run() async throws {
      let pool = try AppBuilder().pool()
      let documents = try await documents(pool)
      await pool.close()
      if json { return try printJSON(documents) }
      if documents.isEmpty { print("Nothing was counted.") }
      for document in documents {
        print("\(document.name.isEmpty ? "(no business)" : document.name)  \(document.date) \(document.time_zone)")
        var table = TextTable(header: ["WHAT", "", "COUNT"])
        for count in document.counts { table.add([count.metric, count.detail ?? "", "\(count.count)"]) }
        print(table.lines().map { "  " + $0 }.joined(separator: "\n") + "\n")
      }
    }

    private func documents(_ pool: PostgresConnectionPool) async throws -> [Document] {
      let store = RollupStore()
      // Days begin up to 14 hours before UTC's and 12 after: each business' own is picked out below.
      let utc = RollupCalendar(zone: .gmt)
      let wide = date.flatMap(utc.day) ?? (Date() - 86_400)..<(Date() + 86_400)
      let range = (wide.lowerBound - 86_400)..<(wide.upperBound + 86_400)
      let only = business.flatMap(UUID.init(uuidString:))
      var documents: [Document] = []
      for (id, name, zone) in try await store.businesses(in: range, only: only, from: pool) {
        let calendar = RollupCalendar(zone: zone)
        let date = self.date ?? calendar.dayText(Date())
        guard let day = calendar.day(date) else { continue }
        let entries = try await store.entries(.day, of: id, in: day, from: pool)
        guard !entries.isEmpty else { continue }
        documents.append(
          Document(
            business_id: id.uuidString.lowercased(), name: name, date: date, time_zone: zone.identifier,
            counts: entries.map {
              .init(metric: $0.metric, detail: $0.detail.isEmpty ? nil : $0.detail, count: $0.count)
            }))
      }
      return documents
    }
  }
}
