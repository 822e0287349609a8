internal import BookingCalendar
internal import Bookings
internal import Foundation
internal import Postgres

/// Finds free slots near one that is taken: first of the same professional, then of the others. Remembers what it
/// found.
struct AlternativeFinder {
  private let catalog: CatalogStore
  private let bookings: BookingStore
  private let now: Date
  private var known: [Key: [Booking.Alternative]] = [:]

  private struct Key: Hashable {
    let request: CatalogStore.Request
    let startsAt: Date
  }

  static let count = 3
  /// How far after the taken slot an alternative may begin, in seconds.
  private static let reach: TimeInterval = 7 * 86_400

  init(catalog: CatalogStore, bookings: BookingStore, now: Date) {
    self.catalog = catalog
    self.bookings = bookings
    self.now = now
  }

  /// The free slots nearest to `startsAt`.
  ///
  /// - Parameter booking: its own time counts as free, because it is being moved.
  mutating func alternatives(
    to request: CatalogStore.Request, at startsAt: Date, except booking: UUID? = nil,
    in transaction: PostgresTransaction
  ) async throws -> [Booking.Alternative] {
    let key = Key(request: request, startsAt: startsAt)
    if booking == nil, let found = known[key] { return found }
    var found: [Booking.Alternative] = []
    let range = TimeRange(start: startsAt - 86_400, end: startsAt + Self.reach)
    let others = try await catalog.professionals(offering: request.service, of: request.business, in: transaction)
    for professional in [request.professional] + others.filter({ $0 != request.professional }) {
      let candidate = CatalogStore.Request(
        business: request.business, service: request.service, professional: professional)
      guard case .calendar(let calendar) = try await catalog.lookUp([candidate], in: transaction)[candidate] else {
        continue
      }
      let busy = try await bookings.busy(
        professional: professional, of: request.business, in: range.padded(before: 86_400, after: 86_400),
        except: booking,
        in: transaction)
      let free = calendar.slots(in: range, now: now, busy: busy)
        .sorted { abs($0.timeIntervalSince(startsAt)) < abs($1.timeIntervalSince(startsAt)) }
      found += free.prefix(Self.count - found.count).map {
        Booking.Alternative(professional: professional, startsAt: $0)
      }
      if found.count >= Self.count { break }
    }
    if booking == nil { known[key] = found }
    return found
  }
}
