import HTTPTypes
import Hummingbird
import Testing

@testable import HTTP

struct ConcurrencyLimitTests {
  @Test func `weights up to the limit are acquired, and can be acquired again once released`() {
    let limit = ConcurrencyLimit(max: 10)
    #expect(limit.tryAcquire(6))
    #expect(limit.tryAcquire(4))
    #expect(!limit.tryAcquire())
    limit.release(4)
    #expect(!limit.tryAcquire(5))
    #expect(limit.tryAcquire(4))
  }

  @Test func `a request above the limit is answered 503 with a delay, as problem+json`() async throws {
    let limit = ConcurrencyLimit(max: 1)
    let router = Router(context: BasicRequestContext.self)
    router.add(middleware: ProblemMiddleware())
    router.group("/v1").add(middleware: ConcurrencyLimitMiddleware(limit: limit)).get("/x") { _, _ in "ok" }
    #expect(try await router.send(.get, "/v1/x").status == .ok)
    #expect(limit.tryAcquire())
    let refusal = try await router.send(.get, "/v1/x")
    #expect(refusal.status == .serviceUnavailable)
    #expect(refusal.headers[.retryAfter] == "1")
    #expect(refusal.headers[.contentType] == "application/problem+json")
    #expect(
      refusal.body
        == #"{"detail":"too many requests are under way; try again","status":503,"title":"Service Unavailable","#
        + #""type":"about:blank"}"#)
    limit.release()
    #expect(try await router.send(.get, "/v1/x").status == .ok)
  }
}
