package import Foundation
package import Hummingbird
package import Jobs
package import Postgres
package import Redis

/// The public API: each request is enqueued as a job, and answered once the broker has confirmed it.
package struct APIRoutes: Sendable {
  private let bookings: BookingRoutes
  private let availability: AvailabilityRoute
  private let reports: ReportRoutes
  private let whatsApp: WhatsAppWebhookRoutes
  private let limit: ConcurrencyLimit

  /// - Parameter routes: the pool of each kind of job.
  /// - Parameter redis: the cache of accepted requests; nil: repeated requests are found only by the worker.
  /// - Parameter whatsApp: nil: webhooks are answered 503.
  /// - Parameter maxConcurrentRequests: further requests are answered 503 with `Retry-After`.
  /// - Parameter now: decides what is in the past, and orders the commands of one booking.
  package init(
    broker: any JobBroker, routes: [JobKind: PoolName], stores: PostgresConnectionPool, redis: RedisClient?,
    whatsApp: WhatsAppSecrets?, maxConcurrentRequests: Int = 1_000, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    let enqueuer = JobEnqueuer(broker: broker, routes: routes, now: now)
    bookings = BookingRoutes(enqueuer: enqueuer, cache: IdempotencyCache(redis: redis), stores: stores)
    reports = ReportRoutes(stores: stores, now: now)
    self.whatsApp = WhatsAppWebhookRoutes(enqueuer: enqueuer, secrets: whatsApp)
    availability = AvailabilityRoute(stores: stores, now: now)
    limit = ConcurrencyLimit(max: maxConcurrentRequests)
  }

  /// Adds the routes under `/v1`, and the webhooks of providers.
  package func add<Context: RequestContext>(to router: Router<Context>) {
    router.add(middleware: ProblemMiddleware<Context>())
    let group = router.group("/v1").add(middleware: ConcurrencyLimitMiddleware<Context>(limit: limit))
    bookings.add(to: group)
    availability.add(to: group)
    reports.add(to: group)
    whatsApp.add(to: router.group().add(middleware: ConcurrencyLimitMiddleware<Context>(limit: limit)))
  }
}
