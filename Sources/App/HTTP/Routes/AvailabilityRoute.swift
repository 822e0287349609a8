internal import BookingCalendar
internal import Bookings
internal import Foundation
internal import Hummingbird
internal import Postgres

/// `GET /v1/availability`: the free slots of a professional for a service, from `from` up to, not including, `to`.
struct AvailabilityRoute: Sendable {
  let stores: PostgresConnectionPool
  let now: @Sendable () -> Date

  /// The longest range one request may ask for, in seconds.
  private static let rangeMax: TimeInterval = 31 * 86_400

  private struct Document: Encodable {
    struct Slot: Encodable {
      let startsAt: String
      let endsAt: String
    }
    let slots: [Slot]
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
    do {
      let wanted = CatalogStore.Request(business: business, service: service, professional: professional)
      let answer = try await CatalogStore().lookUp(wanted, in: stores)
      guard case .calendar(let calendar) = answer else {
        throw Problem(.notFound, "the business has no such service, professional, or combination of the two")
      }
      let busy = try await BookingStore().busy(
        professional: professional, of: business, in: range.padded(before: 86_400, after: 86_400), in: stores)
      let zone = calendar.business.timeZone
      return try .json(
        Document(
          slots: calendar.slots(in: range, now: now(), busy: busy).map {
            .init(
              startsAt: RFC3339.string($0, in: zone), endsAt: RFC3339.string($0 + calendar.service.duration, in: zone))
          }))
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem.unavailable("availability cannot be read now; try again")
    }
  }
}
