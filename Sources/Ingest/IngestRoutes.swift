public import Hummingbird
public import Jobs
public import Redis
public import Stores
internal import Synchronization

/// The front: takes requests, keeps them on their queues, and answers only then.
public struct IngestRoutes: Sendable {
  private let bookings: BookingRoutes
  private let availability: AvailabilityRoute
  private let admission: Admission

  /// - Parameter routes: which pool takes which kind of job.
  /// - Parameter redis: soft memory of accepted requests; nil: none.
  /// - Parameter concurrentMax: requests served at a time; more are told to come again. 1,000 by default.
  public init(
    broker: any JobBroker, routes: [JobKind: PoolName], stores: StorePool, redis: RedisClient?,
    concurrentMax: Int = 1_000
  ) {
    bookings = BookingRoutes(broker: broker, routes: routes, memory: RequestMemory(redis: redis), stores: stores)
    availability = AvailabilityRoute(stores: stores)
    admission = Admission(max: concurrentMax)
  }

  /// Adds the front's routes under `/v1`.
  public func add<Context: RequestContext>(to router: Router<Context>) {
    router.add(middleware: ProblemMiddleware<Context>())
    let group = router.group("/v1").add(middleware: AdmissionMiddleware<Context>(admission: admission))
    bookings.add(to: group)
    availability.add(to: group)
  }
}

/// Counts requests under way.
final class Admission: Sendable {
  private let max: Int
  private let count = Mutex(0)

  init(max: Int) { self.max = max }

  func enter() -> Bool {
    count.withLock { count in
      guard count < max else { return false }
      count += 1
      return true
    }
  }

  func leave() { count.withLock { $0 -= 1 } }
}

/// Turns requests away while too many are under way: better a quick 503 than a slow one.
struct AdmissionMiddleware<Context: RequestContext>: RouterMiddleware {
  let admission: Admission

  @concurrent
  func handle(
    _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard admission.enter() else {
      throw Problem.unavailable("too many requests are under way; try again", retryAfter: 1)
    }
    defer { admission.leave() }
    return try await next(request, context)
  }
}
