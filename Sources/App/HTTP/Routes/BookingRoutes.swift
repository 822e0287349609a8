internal import Bookings
internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import Postgres
internal import Workers

/// The routes of bookings. Writing needs the broker alone; reading needs PostgreSQL.
struct BookingRoutes: Sendable {
  let enqueuer: JobEnqueuer
  let cache: IdempotencyCache
  let stores: PostgresConnectionPool

  /// A request's body may not be larger, in bytes.
  static let bodyMax = 64 << 10
  /// How long a read may take to be answered.
  static let readTimeout = Duration.seconds(4)
  /// Seconds after which an accepted booking is worth another look.
  static let pollAfterSeconds = 1

  func add(to router: RouterGroup<some RequestContext>) {
    router.post("/bookings") { request, _ in try await create(request) }
    router.get("/bookings/{id}") { request, context in try await show(request, try context.booking()) }
    router.delete("/bookings/{id}") { request, context in try await cancel(request, try context.booking()) }
    router.post("/bookings/{id}/reschedule") { request, context in try await reschedule(request, try context.booking())
    }
  }

  private func create(_ request: Request) async throws -> Response {
    let business = try request.business()
    let idempotencyKey = try request.idempotencyKey()
    var fields = try FieldDecoder(body: try await request.json(upTo: Self.bodyMax))
    let service = fields.uuid("service_id")
    let professional = fields.uuid("professional_id")
    let startsAt = fields.instant("starts_at")
    let customer = fields.object("customer") { customer in
      let (name, phone) = (customer.text("name", max: 200), customer.phone("phone"))
      return name.flatMap { name in phone.map { Customer(name: name, phone: $0) } }
    }
    try fields.throwIfInvalid()
    guard let service, let professional, let startsAt, let customer else {
      throw Problem(.unprocessableContent, "fields are missing")
    }
    let asked = "\(service)|\(professional)|\(startsAt.timeIntervalSince1970)|\(customer.name)|\(customer.phone)"
    let fingerprint = RequestDigest.hex(asked)
    let booking =
      idempotencyKey.map { RequestDigest.uuid("\(business)|POST /v1/bookings|\($0)") }
      ?? UUID.version7(at: enqueuer.now())
    if idempotencyKey != nil, let known = await cache.fingerprint(of: booking) {
      guard known == fingerprint else {
        throw Problem(
          .unprocessableContent, "this Idempotency-Key was used before with a different request; use a fresh one",
          fields: [.init(pointer: "header:Idempotency-Key", detail: "was used with a different request")])
      }
      return Self.accepted(booking)
    }
    let job = ValidateBooking(
      booking: booking, business: business, service: service, professional: professional, customer: customer,
      startsAt: startsAt,
      fingerprint: fingerprint)
    try await enqueuer.enqueue(job, of: business, request)
    Failpoint.afterIngestConfirm.visit()
    await cache.store(booking, fingerprint: fingerprint, business: business)
    return Self.accepted(booking)
  }

  private func cancel(_ request: Request, _ booking: UUID) async throws -> Response {
    let business = try request.business()
    try await enqueuer.enqueue(CancelBooking(booking: booking, business: business), of: business, request)
    return Self.accepted(booking)
  }

  private func reschedule(_ request: Request, _ booking: UUID) async throws -> Response {
    let business = try request.business()
    var fields = try FieldDecoder(body: try await request.json(upTo: Self.bodyMax))
    let startsAt = fields.instant("starts_at")
    let professional = fields.optionalUUID("professional_id")
    try fields.throwIfInvalid()
    guard let startsAt else { throw Problem(.unprocessableContent, "fields are missing") }
    let job = RescheduleBooking(booking: booking, business: business, startsAt: startsAt, professional: professional)
    try await enqueuer.enqueue(job, of: business, request)
    return Self.accepted(booking)
  }

  private static func accepted(_ booking: UUID) -> Response {
    let id = booking.uuidString.lowercased()
    return Response(
      status: .accepted,
      headers: [
        .location: "/v1/bookings/\(id)", .retryAfter: String(pollAfterSeconds), .contentType: "application/json",
      ],
      body: .init(byteBuffer: .init(string: #"{"id":"\#(id)","status":"queued"}"#)))
  }

  private func show(_ request: Request, _ id: UUID) async throws -> Response {
    let business = try request.business()
    let booking: Booking?
    do {
      booking = try await BookingStore().find(id, of: business, in: stores, deadline: .now + Self.readTimeout)
    } catch {
      throw Problem.unavailable("bookings cannot be read now; try again")
    }
    if let booking { return try BookingResponse(booking).response() }
    // Accepted and not stored yet: only Redis can know.
    guard await cache.contains(id, of: business) else {
      throw Problem(
        .notFound, "no booking is known under this id; if it was accepted a moment ago, look again",
        retryAfter: Self.pollAfterSeconds)
    }
    let document = #"{"id":"\#(id.uuidString.lowercased())","status":"queued"}"#
    return Response(
      status: .ok, headers: [.contentType: "application/json", .retryAfter: String(Self.pollAfterSeconds)],
      body: .init(byteBuffer: .init(string: document)))
  }
}

/// Hashes of requests.
enum RequestDigest {
  static func hex(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// A UUID made of a hash: version 8, "custom" (RFC 9562).
  static func uuid(_ text: String) -> UUID {
    var bytes = Array(SHA256.hash(data: Data(text.utf8)).prefix(16))
    bytes[6] = bytes[6] & 0x0f | 0x80
    bytes[8] = bytes[8] & 0x3f | 0x80
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
