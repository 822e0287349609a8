internal import BookingCalendar
internal import Bookings
internal import Foundation
internal import Hummingbird

/// `GET /v1/availability`: the free slots of a professional for a service, from `from` up to, not including, `to`.
/// Where there are more than one answer may hold, `next_from` is the `from` of the next request.
struct AvailabilityRoute: Sendable {
  let reads: StoreReads
  let now: @Sendable () -> Date

  /// The longest range one request may ask for, in seconds.
  private static let rangeMax: TimeInterval = 31 * 86_400
  /// The most slots of one answer. A month has 1,488 half hours, and 8,928 times five minutes: those would take a tenth
  /// of a second and 700 KB for whoever asks.
  private static let slotsMax = 2_000

  private struct Document: Encodable {
    struct Slot: Encodable {
      let startsAt: String
      let endsAt: String
    }
    let slots: [Slot]
    let nextFrom: String?
  }

  func add(to router: RouterGroup<some RequestContext>) {
    router.get("/availability") { request, _ in try await list(request) }
  }

  private func list(_ request: Request) async throws -> Response {
    let business = try request.business()
    var problems: [Problem.Field] = []
    func query<Value>(_ name: String, _ requirement: String, _ read: (String) -> Value?) -> Value? {
      guard let value = request.uri.queryParameters[Substring(name)].flatMap({ read(String($0)) }) else {
        problems.append(.init(pointer: "query:\(name)", detail: requirement))
        return nil
      }
      return value
    }
    let service = query("service_id", "must be a UUID", UUID.init(uuidString:))
    let professional = query("professional_id", "must be a UUID", UUID.init(uuidString:))
    let from = query("from", RFC3339.requirement, RFC3339.parse)
    let to = query("to", RFC3339.requirement, RFC3339.parse)
    guard let service, let professional, let from, let to else {
      throw Problem(.unprocessableContent, "some query parameters are invalid or missing", fields: problems)
    }
    guard from < to, to.timeIntervalSince(from) <= Self.rangeMax else {
      let field = Problem.Field(pointer: "query:to", detail: "must lie after from, at most 31 days")
      throw Problem(.unprocessableContent, "the range is invalid", fields: [field])
    }
    let range = TimeRange(start: from, end: to)
    let wanted = CatalogStore.Request(business: business, service: service, professional: professional)
    let (calendar, busy) = try await reads.run("availability") { pool, deadline in
      guard case .calendar(let calendar) = try await CatalogStore().lookUp(wanted, in: pool, deadline: deadline) else {
        throw Problem(.notFound, "the business has no such service, professional, or combination of the two")
      }
      let padded = range.padded(before: 86_400, after: 86_400)
      let busy = try await BookingStore().busy(
        professional: professional, of: business, in: padded, in: pool, deadline: deadline)
      return (calendar, busy)
    }
    let zone = calendar.business.timeZone
    let free = calendar.slots(in: range, now: now(), busy: busy, limit: Self.slotsMax)
    return try .json(
      Document(
        slots: free.starts.map {
          .init(
            startsAt: RFC3339.string($0, in: zone), endsAt: RFC3339.string($0 + calendar.service.duration, in: zone))
        }, nextFrom: free.next.map { RFC3339.string($0, in: zone) }))
  }
}
