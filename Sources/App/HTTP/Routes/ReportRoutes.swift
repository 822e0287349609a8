internal import Bookings
internal import Foundation
internal import Hummingbird
internal import Reports

/// `GET /v1/reports/{day|hour|minute}?date=2026-11-23`: a business's counters of one of its days (today by default), in
/// buckets of that length.
struct ReportRoutes: Sendable {
  let reads: StoreReads
  let now: @Sendable () -> Date

  /// The most entries of one answer: by the minute, some days have more than fit into one.
  private static let entriesMax = 10_000

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
    let (calendar, day, entries) = try await reads.run("reports") { pool, deadline in
      guard let zone = try await CatalogStore().timeZone(of: business, in: pool, deadline: deadline) else {
        throw Problem(.notFound, "there is no such business")
      }
      let calendar = RollupCalendar(zone: zone)
      guard let day = calendar.day(date ?? calendar.dayText(now())) else {
        throw Problem(
          .unprocessableContent, "the date is invalid",
          fields: [.init(pointer: "query:date", detail: "must be a date such as 2026-11-23, from 2000 to 2099")])
      }
      let entries = try await RollupStore().entries(
        granularity, of: business, in: day, limit: Self.entriesMax + 1, from: pool, deadline: deadline)
      return (calendar, day, entries)
    }
    guard entries.count <= Self.entriesMax else {
      throw Problem(
        .unprocessableContent, "the day has more than \(Self.entriesMax) counts by the \(granularity.rawValue)",
        fields: [.init(pointer: "path:granularity", detail: "must be hour or day for this date")])
    }
    return try .json(
      Document(
        date: calendar.dayText(day.lowerBound), timeZone: calendar.zone.identifier, granularity: granularity,
        entries: entries.map {
          .init(
            start: RFC3339.string($0.start, in: calendar.zone), metric: $0.metric,
            detail: $0.detail.isEmpty ? nil : $0.detail, count: $0.count)
        }))
  }
}
