import ArgumentParser
import Bookings
import Foundation
import Postgres
import Reports

struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Show counts of bookings, messages and jobs, per business.",
    subcommands: [Day.self])

  struct Day: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show one day, for each business by its own time zone.",
      discussion: "Webhooks and other jobs of no known business are listed without a business, by UTC.")

    @Argument(help: "The day, such as 2026-11-23; today by default.")
    var date: String?
    @Option(help: "Only this business (its UUID).")
    var business: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Document: Encodable {
      struct Count: Encodable {
        let metric: String
        @NullIfUnknown var detail: String?
        let count: Int
      }
      let businessId: String
      let name: String
      let date: String
      let timeZone: String
      let counts: [Count]
    }

    func validate() throws {
      if let date, RollupCalendar(zone: .gmt).day(date) == nil {
        throw ValidationError("\"\(date)\" is not a date such as 2026-11-23, from 2000 to 2099.")
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
        print("\(document.name.isEmpty ? "(no business)" : document.name)  \(document.date) \(document.timeZone)")
        var table = TextTable(header: ["METRIC", "DETAIL", "COUNT"])
        for count in document.counts { table.add([count.metric, count.detail ?? "", "\(count.count)"]) }
        print(table.lines().map { "  " + $0 }.joined(separator: "\n") + "\n")
      }
    }

    private func documents(_ pool: PostgresConnectionPool) async throws -> [Document] {
      let store = RollupStore()
      // Local days begin up to 14 hours before UTC's and 12 after: each business' own day is selected below.
      let utc = RollupCalendar(zone: .gmt)
      let wide = date.flatMap(utc.day) ?? (Date() - 86_400)..<(Date() + 86_400)
      let range = (wide.lowerBound - 86_400)..<(wide.upperBound + 86_400)
      let only = business.flatMap(UUID.init(uuidString:))
      var documents: [Document] = []
      let counted = try await store.businesses(in: range, from: pool).filter { only == nil || $0 == only }
      let known = try await CatalogStore().businesses(counted, in: pool)
      let businesses = counted.map { (id: $0, name: known[$0]?.name ?? "", zone: known[$0]?.timeZone ?? .gmt) }
      for (id, name, zone) in businesses.sorted(by: { ($0.name, $0.id.uuidString) < ($1.name, $1.id.uuidString) }) {
        let calendar = RollupCalendar(zone: zone)
        let date = self.date ?? calendar.dayText(Date())
        guard let day = calendar.day(date) else { continue }
        let entries = try await store.entries(.day, of: id, in: day, from: pool)
        guard !entries.isEmpty else { continue }
        documents.append(
          Document(
            businessId: id.uuidString.lowercased(), name: name, date: date, timeZone: zone.identifier,
            counts: entries.map {
              .init(metric: $0.metric, detail: $0.detail.isEmpty ? nil : $0.detail, count: $0.count)
            }))
      }
      return documents
    }
  }
}
