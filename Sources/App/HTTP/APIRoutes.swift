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
  /// Of requests that enqueue a job. Reads have a bound of their own: see ``StoreReads``.
  private let writes: ConcurrencyLimit

  /// - Parameter routes: the pool of each kind of job.
  /// - Parameter redis: the cache of accepted requests; nil: repeated requests are found only by the worker.
  /// - Parameter whatsApp: nil: webhooks are answered 503.
  /// - Parameter readConnections: how many of the connections of `stores` reads may use at a time.
  /// - Parameter maxConcurrentWrites: further requests that enqueue a job are answered 503 with `Retry-After`.
  /// - Parameter maxConcurrentReads: the same for those that read from `stores`.
  /// - Parameter now: decides what is in the past, and orders the commands of one booking.
  package init(
    broker: any JobBroker, routes: [JobKind: PoolName], stores: PostgresConnectionPool, readConnections: Int,
    redis: RedisClient?, whatsApp: WhatsAppSecrets?, maxConcurrentWrites: Int = 1_000, maxConcurrentReads: Int = 400,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    let enqueuer = JobEnqueuer(broker: broker, routes: routes, now: now)
    let reads = StoreReads(stores, connections: readConnections, max: maxConcurrentReads)
    bookings = BookingRoutes(enqueuer: enqueuer, cache: IdempotencyCache(redis: redis), reads: reads)
    reports = ReportRoutes(reads: reads, now: now)
    self.whatsApp = WhatsAppWebhookRoutes(enqueuer: enqueuer, secrets: whatsApp)
    availability = AvailabilityRoute(reads: reads, now: now)
    writes = ConcurrencyLimit(max: maxConcurrentWrites, name: "writes")
  }

  /// Adds the routes under `/v1`, and the webhooks of providers.
  package func add<Context: RequestContext>(to router: Router<Context>) {
    router.add(middleware: ProblemMiddleware<Context>())
    let limited = ConcurrencyLimitMiddleware<Context>(limit: writes)
    bookings.addWrites(to: router.group("/v1").add(middleware: limited))
    let reads = router.group("/v1")
    bookings.addReads(to: reads)
    availability.add(to: reads)
    reports.add(to: reads)
    whatsApp.add(to: router.group().add(middleware: limited))
  }
}
