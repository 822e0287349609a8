internal import Bookings
internal import Foundation
internal import Hummingbird
internal import Postgres
internal import Reports

/// `GET /v1/reports/{day|hour|minute}?date=2026-11-23`: a business's counters of one of its days (today by default), in
/// buckets of that length.
struct ReportRoutes: Sendable {
  let stores: PostgresConnectionPool
  let now: @Sendable () -> Date

  private struct Document: Encodable {
    struct Entry: Encodable {
      let start: String
      let metric: String
      let detail: String?
      let count: Int
    }
    let date: String
    let timeZone: String
    let granularity: Granularity
    let entries: [Entry]
  }

  func add(to router: RouterGroup<some RequestContext>) {
    router.get("/reports/{granularity}") { request, context in
      guard let granularity = context.parameters.get("granularity").flatMap(Granularity.init(rawValue:)) else {
        throw Problem(.notFound, "there are reports for day, hour and minute")
      }
      return try await report(granularity, request)
    }
  }

  private func report(_ granularity: Granularity, _ request: Request) async throws -> Response {
    let business = try request.business()
    let date = request.uri.queryParameters["date"].map { String($0) }
    let store = RollupStore()
    do {
      guard let zone = try await CatalogStore().timeZone(of: business, in: stores) else {
        throw Problem(.notFound, "there is no such business")
      }
      let calendar = RollupCalendar(zone: zone)
      guard let day = calendar.day(date ?? calendar.dayText(now())) else {
        throw Problem(
          .unprocessableContent, "the date is invalid",
          fields: [.init(pointer: "query:date", detail: "must be a date such as 2026-11-23, from 2000 to 2099")])
      }
      let entries = try await store.entries(granularity, of: business, in: day, from: stores)
      return try .json(
        Document(
          date: calendar.dayText(day.lowerBound), timeZone: zone.identifier, granularity: granularity,
          entries: entries.map {
            .init(
              start: RFC3339.string($0.start, in: zone), metric: $0.metric,
              detail: $0.detail.isEmpty ? nil : $0.detail, count: $0.count)
          }))
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem.unavailable("reports cannot be read now; try again")
    }
  }
}
