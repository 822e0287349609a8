internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOFoundationEssentialsCompat

/// `POST /{version}/{phone_number_id}/messages`: sends a message.
struct MessageRoute: Sendable {
  let sandbox: SandboxState

  private static let bodyBytesMax = 1 << 20

  private var validator: RequestValidator {
    RequestValidator(configuration: sandbox.configuration, templates: sandbox.templates, windows: sandbox.windows)
  }

  func add(to router: Router<SandboxContext>) {
    router.post("/{version}/{phone_number_id}/messages") { request, context in try await handle(request, context) }
  }

  private func handle(_ request: Request, _ context: SandboxContext) async throws -> Response {
    var request = request
    let body = try await request.collectBody(upTo: Self.bodyBytesMax)
    let incoming = IncomingRequest(
      version: context.parameters.get("version") ?? "", phoneNumberID: context.parameters.get("phone_number_id") ?? "",
      authorization: request.headers[.authorization], body: Data(buffer: body))
    let checked: CheckedRequest
    do throws(GraphError) {
      checked = try validator.check(incoming)
    } catch {
      return refuse(error, incoming, nil)
    }
    switch checked {
    case .markRead: return .json(["success": true])
    case .send(let message): return await decide(message, incoming, request, context)
    }
  }

  /// Handles a valid message by its behaviour.
  private func decide(
    _ message: SendRequest, _ incoming: IncomingRequest, _ request: Request, _ context: SandboxContext
  ) async -> Response {
    let subject = message.callback.map { "callback \($0)" } ?? "body \(Hashing.hex(Hashing.bytes(incoming.body)))"
    let draw = sandbox.draw(recipient: message.recipient.key, subject: subject)
    let behaviour =
      sandbox.behaviours.next(for: message.recipient.key) ?? draw.behaviour(among: sandbox.configuration.faults)
    switch behaviour {
    case .accept, .failLater, .withoutStatus, .waID:
      return answer(message, accept(message, behaviour, draw, .accepted))
    case .delay(let duration):
      await Request.wait(duration)
      return answer(message, accept(message, behaviour, draw, .accepted))
    case .refuse(let code, let httpStatus):
      return refuse(GraphError(code, httpStatus: httpStatus), incoming, message)
    case .cutBefore:
      record(.cut, incoming, message)
      return await context.cut()
    case .cutAfter, .cutAfterWithoutStatus:
      _ = accept(message, behaviour, draw, .cut)
      return await context.cut()
    case .silent:
      record(.silent, incoming, message)
      await request.hold()
      return await context.cut()
    case .silentAfter:
      _ = accept(message, behaviour, draw, .silent)
      await request.hold()
      return await context.cut()
    }
  }

  private func refuse(_ error: GraphError, _ incoming: IncomingRequest, _ message: SendRequest?) -> Response {
    record(.refused, incoming, message, error: error)
    return .json(error.document(trace: sandbox.ids.trace()), status: HTTPResponse.Status(code: error.httpStatus))
  }

  /// Records a request that was not accepted.
  private func record(
    _ outcome: MessageRecord.Outcome, _ incoming: IncomingRequest, _ message: SendRequest?, error: GraphError? = nil
  ) {
    let body = incoming.document
    let to = (body?["to"] ?? body?["recipient"])?.stringValue ?? ""
    let record = MessageRecord(
      to: Self.clipped(to), template: body?["template"]?["name"]?.stringValue.map(Self.clipped),
      callback: body?["biz_opaque_callback_data"]?.stringValue.map(Self.clipped), phoneNumberID: incoming.phoneNumberID,
      outcome: outcome, code: error?.code, at: Date(), payloads: message?.payloads ?? [])
    sandbox.history.append(record)
    sandbox.log.write(record, httpStatus: error?.httpStatus)
  }

  /// Texts that were not validated may have any length; the record is limited.
  private static func clipped(_ text: String) -> String { String(text.prefix(600)) }

  /// Accepts a message and schedules its status webhooks.
  private func accept(
    _ message: SendRequest, _ behaviour: SandboxBehaviour, _ draw: SeededDraw, _ outcome: MessageRecord.Outcome
  ) -> WebhookDocuments.Message {
    let now = Date()
    var waID = message.recipient.digits
    if case .waID(let digits) = behaviour { waID = digits }
    let accepted = WebhookDocuments.Message(
      wamid: sandbox.ids.wamid(), request: message, waID: waID, user: message.recipient.user)
    let record = MessageRecord(
      wamid: accepted.wamid, to: message.recipient.input, template: message.template, callback: message.callback,
      phoneNumberID: message.phoneNumberID, outcome: outcome, code: behaviour.code, at: now, payloads: message.payloads)
    // Recorded before any of its webhooks can be answered.
    sandbox.history.append(record)
    sandbox.log.write(record, httpStatus: outcome == .accepted ? 200 : nil)
    for step in StatusPlan(behaviour, draw: draw, configuration: sandbox.configuration).steps {
      let time = now.addingTimeInterval(step.happensAfter / .seconds(1))
      let webhook = Webhook.status(step.status, of: accepted, at: time, code: behaviour.code)
      sandbox.dispatcher.post(webhook, after: step.postedAfter)
      if let again = step.repeatedAfter { sandbox.dispatcher.post(webhook, after: again) }
    }
    return accepted
  }

  private func answer(_ message: SendRequest, _ accepted: WebhookDocuments.Message) -> Response {
    var contact: [String: JSONValue] = ["input": .string(message.recipient.input)]
    if let waID = accepted.waID {
      contact["wa_id"] = .string(waID)
    } else {
      contact["user_id"] = .string(accepted.user)
    }
    return .json([
      "messaging_product": "whatsapp", "contacts": .array([.object(contact)]),
      "messages": [["id": .string(accepted.wamid), "message_status": "accepted"]],
    ])
  }
}
