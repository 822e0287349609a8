internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import NIOCore
internal import NIOFoundationEssentialsCompat
internal import WhatsApp
internal import Workers

/// What the provider and this program know of each other.
package struct WhatsAppSecrets: Sendable {
  /// Signs the provider's webhooks.
  package let appSecret: String
  /// Proves, when a webhook is set up, that it is wanted.
  package let verifyToken: String

  /// Takes both; neither may be empty.
  package init(appSecret: String, verifyToken: String) {
    self.appSecret = appSecret
    self.verifyToken = verifyToken
  }
}

/// WhatsApp's webhooks: one POST is one job, kept whole or refused whole. What is in it is the worker's affair: a POST
/// that is not answered with 200 is sent again for seven days, with all that it holds.
struct WhatsAppWebhookRoutes: Sendable {
  let enqueuer: JobEnqueuer
  /// Nil: webhooks are not set up.
  let secrets: WhatsAppSecrets?
  /// Bytes of bodies in hand, over all requests.
  let bytes = ConcurrencyLimit(max: 96 << 20)

  /// The largest body the provider sends has 3 MB.
  static let bodyMax = 3 << 20

  func add(to router: RouterGroup<some RequestContext>) {
    router.get("/webhooks/whatsapp") { request, _ in try verify(request) }
    router.post("/webhooks/whatsapp") { request, _ in try await receive(request) }
  }

  /// The provider asks, once, whether webhooks are wanted here.
  private func verify(_ request: Request) throws -> Response {
    let secrets = try requireSecrets()
    let query = request.uri.queryParameters
    guard query["hub.mode"] == "subscribe", let challenge = query["hub.challenge"],
      let token = query["hub.verify_token"], WebhookSignature.isSame(String(token), secrets.verifyToken)
    else { throw Problem(.forbidden, "this is no verification request, or its token is wrong") }
    return Response(
      status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
      body: .init(byteBuffer: .init(string: String(challenge))))
  }

  private func receive(_ request: Request) async throws -> Response {
    let secrets = try requireSecrets()
    let declared = request.headers[.contentLength].flatMap { Int($0) }
    if let declared, declared > Self.bodyMax { throw Request.tooLarge(Self.bodyMax) }
    // Without a declared length it may be as large as any.
    let weight = max(1, declared ?? Self.bodyMax)
    guard bytes.tryAcquire(weight) else {
      throw Problem.unavailable("too many webhooks are under way; send it again", retryAfter: 1)
    }
    defer { bytes.release(weight) }
    let body = try await request.bytes(upTo: Self.bodyMax)
    let signature = HTTPField.Name(WebhookSignature.header).flatMap { request.headers[$0] }
    guard WebhookSignature.isValid(signature, of: body, secret: secrets.appSecret) else {
      throw Problem(
        .unauthorized, "the signature is missing or wrong",
        fields: [.init(pointer: "header:\(WebhookSignature.header)", detail: "must be sha256= and the body's HMAC")])
    }
    try await enqueuer.enqueue(
      WhatsAppEvent(body: body), of: nil, request, inDoubt: "it is not known whether this was kept; send it again")
    Failpoint.afterIngestConfirm.visit()
    return Response(status: .ok, headers: [.contentType: "text/plain"], body: .init(byteBuffer: .init(string: "ok")))
  }

  private func requireSecrets() throws(Problem) -> WhatsAppSecrets {
    guard let secrets else {
      throw Problem.unavailable(
        "WhatsApp's webhooks are not set up here: WHATSAPP_APP_SECRET and WHATSAPP_VERIFY_TOKEN are missing",
        retryAfter: 300)
    }
    return secrets
  }
}
