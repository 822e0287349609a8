internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Jobs
internal import NIOCore
internal import NIOFoundationEssentialsCompat
internal import WhatsApp
internal import Workers

/// WhatsApp's webhooks: one POST becomes one job, accepted or rejected as a whole, and parsed by the worker. The
/// provider repeats a POST that is not answered 200 for seven days, with everything in it.
struct WhatsAppWebhookRoutes: Sendable {
  let enqueuer: JobEnqueuer
  /// nil: webhooks are answered 503.
  let secrets: WhatsAppSecrets?

  init(enqueuer: JobEnqueuer, secrets: WhatsAppSecrets?) {
    self.enqueuer = enqueuer
    self.secrets = secrets
  }

  func add(to router: RouterGroup<some RequestContext>) {
    router.get("/webhooks/whatsapp") { request, _ in try verify(request) }
    router.post("/webhooks/whatsapp") { request, _ in try await receive(request) }
  }

  /// Answers the challenge that the provider sends when a webhook is set up.
  private func verify(_ request: Request) throws -> Response {
    let secrets = try requireSecrets()
    let query = request.uri.queryParameters
    guard query["hub.mode"] == "subscribe", let challenge = query["hub.challenge"],
      let token = query["hub.verify_token"], WebhookSignature.isSame(String(token), secrets.verifyToken)
    else { throw Problem(.forbidden, "this is not a verification request, or its token is wrong") }
    return Response(
      status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
      body: .init(byteBuffer: .init(string: String(challenge))))
  }

  private func receive(_ request: Request) async throws -> Response {
    let secrets = try requireSecrets()
    let body = try await request.bytes(upTo: BodyLimit.webhook.bytesMax)
    let signature = request.headers[named: HTTPField.Name(WebhookSignature.header)]
    guard WebhookSignature.isValid(signature, of: body, secret: secrets.appSecret) else {
      throw Problem(
        .unauthorized, "the signature is missing or wrong",
        fields: [.init(pointer: "header:\(WebhookSignature.header)", detail: "must be sha256= and the body's HMAC")])
    }
    try await enqueuer.enqueue(
      WhatsAppEvent(body: body), of: nil, request, inDoubt: "it is not known whether this was accepted; send it again")
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
