internal import Bookings
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import Workers

/// Writing needs the broker only; reading needs PostgreSQL.
struct BookingRoutes: Sendable {
  let enqueuer: JobEnqueuer
  let cache: IdempotencyCache
  let reads: StoreReads

  private static let bodyBytesMax = 64 << 10
  /// When to ask for a booking that is not stored yet; sent as `Retry-After`.
  private static let pollAfterSeconds = 1

  /// Changes of existing bookings that one business may ask for: a hundred a second, and a thousand at once after a
  /// pause. New bookings have no such limit.
  private let share = BusinessShare(perSecond: 100, burst: 1_000)

  init(enqueuer: JobEnqueuer, cache: IdempotencyCache, reads: StoreReads) {
    self.enqueuer = enqueuer
    self.cache = cache
    self.reads = reads
  }

  func addWrites(to router: RouterGroup<some RequestContext>) {
    router.post("/bookings") { request, _ in try await create(request) }
    router.delete("/bookings/{id}") { request, context in try await cancel(request, try context.booking()) }
    router.post("/bookings/{id}/reschedule") { request, context in try await reschedule(request, try context.booking())
    }
  }

  func addReads(to router: RouterGroup<some RequestContext>) {
    router.get("/bookings/{id}") { request, context in try await show(request, try context.booking()) }
  }

  private func create(_ request: Request) async throws -> Response {
    let business = try request.business()
    let idempotencyKey = try request.idempotencyKey()
    var fields = try FieldDecoder(body: try await request.json(upTo: Self.bodyBytesMax))
    let service = fields.uuid("service_id")
    let professional = fields.uuid("professional_id")
    let startsAt = fields.instant("starts_at")
    let customer = fields.object("customer") { customer in
      let (name, phone) = (customer.personName("name", max: 200), customer.phone("phone"))
      return name.flatMap { name in phone.map { Customer(name: name, phone: $0) } }
    }
    try fields.throwIfInvalid()
    guard let service, let professional, let startsAt, let customer else {
      throw Problem(.unprocessableContent, "fields are missing")
    }
    let content = "\(service)|\(professional)|\(startsAt.timeIntervalSince1970)|\(customer.name)|\(customer.phone)"
    let fingerprint = RequestDigest.hex(content)
    let booking =
      idempotencyKey.map { RequestDigest.uuid("\(business)|POST /v1/bookings|\($0)") }
      ?? UUID.version7(at: enqueuer.now())
    if idempotencyKey != nil, let known = await cache.fingerprint(of: booking) {
      guard known == fingerprint else {
        throw Problem(
          .unprocessableContent, "this Idempotency-Key was used before with a different request; use a fresh one",
          fields: [.init(pointer: "header:Idempotency-Key", detail: "was used with a different request")])
      }
      return try Self.accepted(booking)
    }
    let job = ValidateBooking(
      booking: booking, business: business, service: service, professional: professional, customer: customer,
      startsAt: startsAt, fingerprint: fingerprint)
    try await enqueuer.enqueue(job, of: business, request)
    Failpoint.afterIngestConfirm.visit()
    await cache.store(booking, fingerprint: fingerprint, business: business)
    return try Self.accepted(booking)
  }

  private func cancel(_ request: Request, _ booking: UUID) async throws -> Response {
    let business = try request.business()
    try share.take(for: business)
    try await enqueuer.enqueue(CancelBooking(booking: booking, business: business), of: business, request)
    return try Self.accepted(booking)
  }

  private func reschedule(_ request: Request, _ booking: UUID) async throws -> Response {
    let business = try request.business()
    var fields = try FieldDecoder(body: try await request.json(upTo: Self.bodyBytesMax))
    let startsAt = fields.instant("starts_at")
    let professional = fields.optionalUUID("professional_id")
    try fields.throwIfInvalid()
    guard let startsAt else { throw Problem(.unprocessableContent, "fields are missing") }
    try share.take(for: business)
    let job = RescheduleBooking(booking: booking, business: business, startsAt: startsAt, professional: professional)
    try await enqueuer.enqueue(job, of: business, request)
    return try Self.accepted(booking)
  }

  private static func accepted(_ booking: UUID) throws -> Response {
    var response = try queued(booking, status: .accepted)
    response.headers[.location] = "/v1/bookings/\(booking.uuidString.lowercased())"
    return response
  }

  private static func queued(_ booking: UUID, status: HTTPResponse.Status) throws -> Response {
    var response = try Response.json(QueuedBookingResponse(booking), status: status)
    response.headers[.retryAfter] = String(pollAfterSeconds)
    return response
  }

  private func show(_ request: Request, _ id: UUID) async throws -> Response {
    let business = try request.business()
    let booking = try await reads.run("bookings") { pool, deadline in
      try await BookingStore().find(id, of: business, in: pool, deadline: deadline)
    }
    if let booking { return try .json(BookingResponse(booking)) }
    // A booking that is accepted and not stored yet is known to Redis only.
    guard await cache.contains(id, of: business) else {
      throw Problem(
        .notFound, "no booking is known under this id; if it was accepted a moment ago, look again",
        retryAfter: Self.pollAfterSeconds)
    }
    return try Self.queued(id, status: .ok)
  }
}
