internal import Bookings
package import Foundation
package import Hummingbird
package import Jobs
package import Postgres
package import Redis
internal import Synchronization

/// The front: takes requests, keeps them on their queues, and answers only then.
package struct APIRoutes: Sendable {
  private let bookings: BookingRoutes
  private let availability: AvailabilityRoute
  private let reports: ReportRoutes
  private let whatsApp: WhatsAppWebhookRoutes
  private let concurrencyLimit: ConcurrencyLimit

  /// - Parameter routes: which pool takes which kind of job.
  /// - Parameter redis: soft cache of accepted requests; nil: none.
  /// - Parameter whatsApp: what webhooks are checked by; nil: they are answered 503.
  /// - Parameter maxConcurrentRequests: requests served at a time; more are told to come again. 1,000 by default.
  /// - Parameter now: the clock that says what is past, and which of two commands came first.
  package init(
    broker: any JobBroker, routes: [JobKind: PoolName], stores: PostgresConnectionPool, redis: RedisClient?,
    whatsApp: WhatsAppSecrets?, maxConcurrentRequests: Int = 1_000, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    let enqueuer = JobEnqueuer(broker: broker, routes: routes, now: now)
    bookings = BookingRoutes(enqueuer: enqueuer, cache: IdempotencyCache(redis: redis), stores: stores)
    reports = ReportRoutes(stores: stores, now: now)
    self.whatsApp = WhatsAppWebhookRoutes(enqueuer: enqueuer, secrets: whatsApp)
    availability = AvailabilityRoute(stores: stores, now: now)
    concurrencyLimit = ConcurrencyLimit(max: maxConcurrentRequests)
  }

  /// Adds the front's routes: those under `/v1`, and the providers' webhooks.
  package func add<Context: RequestContext>(to router: Router<Context>) {
    router.add(middleware: ProblemMiddleware<Context>())
    let group = router.group("/v1").add(
      middleware: ConcurrencyLimitMiddleware<Context>(concurrencyLimit: concurrencyLimit))
    bookings.add(to: group)
    availability.add(to: group)
    reports.add(to: group)
    whatsApp.add(
      to: router.group().add(middleware: ConcurrencyLimitMiddleware<Context>(concurrencyLimit: concurrencyLimit)))
  }
}

/// Counts requests under way, or their bytes.
final class ConcurrencyLimit: Sendable {
  private let max: Int
  private let count = Mutex(0)

  init(max: Int) { self.max = max }

  func tryAcquire(_ weight: Int = 1) -> Bool {
    count.withLock { count in
      guard count + weight <= max else { return false }
      count += weight
      return true
    }
  }

  func release(_ weight: Int = 1) { count.withLock { $0 -= weight } }
}

/// Turns requests away while too many are under way: better a quick 503 than a slow one.
struct ConcurrencyLimitMiddleware<Context: RequestContext>: RouterMiddleware {
  let concurrencyLimit: ConcurrencyLimit

  @concurrent
  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard concurrencyLimit.tryAcquire() else {
      throw Problem.unavailable("too many requests are under way; try again", retryAfter: 1)
    }
    defer { concurrencyLimit.release() }
    return try await next(request, context)
  }
}
