internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOFoundationEssentialsCompat

/// Routes under `/sandbox` by which tests inspect and control the sandbox, and the probe. Meta has none of them.
struct ControlRoutes: Sendable {
  let sandbox: SandboxState

  private static let bodyBytesMax = 1 << 20
  /// For each recipient.
  private static let behavioursMax = 1_000

  func add(to router: Router<SandboxContext>) {
    router.get("/livez") { _, _ in "ok\n" }
    router.get("/sandbox/messages") { _, _ in Response.json(.array(sandbox.history.records.map { $0.document })) }
    router.put("/sandbox/recipients/{digits}") { request, context in
      try await setBehaviours(of: try recipient(context), request)
    }
    router.delete("/sandbox/recipients/{digits}") { _, context in
      sandbox.behaviours.clear(try recipient(context))
      return Response(status: .noContent)
    }
    router.put("/sandbox/templates/{name}") { request, context in
      try await setTemplate(context.parameters.get("name") ?? "", request)
    }
    router.post("/sandbox/inbound") { request, _ in try await receive(request) }
  }

  private func recipient(_ context: SandboxContext) throws -> String {
    guard let recipient = context.parameters.get("digits"), PhoneDigits.areValid(recipient) else {
      throw HTTPError(.badRequest, message: "a recipient must be 8 to 15 digits")
    }
    return recipient
  }

  private func document(_ request: Request) async throws -> JSONValue {
    let body = try await request.body.collect(upTo: Self.bodyBytesMax)
    guard let document = JSONValue(Data(buffer: body)), document.isObject else {
      throw HTTPError(.badRequest, message: "the body must be a JSON object")
    }
    return document
  }

  private func setBehaviours(of recipient: String, _ request: Request) async throws -> Response {
    let texts = try await document(request)["behaviours"]?.arrayValue ?? []
    let behaviours = texts.compactMap { $0.stringValue.flatMap { SandboxBehaviour($0) } }
    guard !texts.isEmpty, texts.count <= Self.behavioursMax, behaviours.count == texts.count else {
      throw HTTPError(
        .badRequest, message: "behaviours must be 1 to \(Self.behavioursMax) texts such as accept or refuse:131056")
    }
    guard sandbox.behaviours.set(behaviours, for: recipient) else {
      throw HTTPError(.badRequest, message: "too many recipients have behaviours")
    }
    return Response(status: .noContent)
  }

  private func setTemplate(_ name: String, _ request: Request) async throws -> Response {
    guard let template = ApprovedTemplate.named(name) else {
      throw HTTPError(.notFound, message: "there is no such template")
    }
    guard let state = try await document(request)["state"]?.stringValue.flatMap({ TemplateState(rawValue: $0) }) else {
      throw HTTPError(.badRequest, message: "state must be approved, paused or disabled")
    }
    sandbox.templates.set(state, of: template)
    let draw = sandbox.draw(recipient: template.name, subject: "state \(state.rawValue)")
    sandbox.post(Webhook.template(template, state, at: Date()), draw)
    return Response(status: .noContent)
  }

  /// A customer writes to the business.
  private func receive(_ request: Request) async throws -> Response {
    let body = try await document(request)
    guard let phoneNumberID = body["phone_number_id"]?.stringValue,
      let displayNumber = sandbox.configuration.displayNumber(of: phoneNumberID)
    else { throw HTTPError(.badRequest, message: "phone_number_id must be one of the sandbox's") }
    guard let from = body["from"]?.stringValue, PhoneDigits.areValid(from) else {
      throw HTTPError(.badRequest, message: "from must be 8 to 15 digits")
    }
    let content: WebhookDocuments.Inbound.Content
    if let text = body["text"]?.stringValue {
      content = .text(text)
    } else if let payload = body["button"]?["payload"]?.stringValue, let text = body["button"]?["text"]?.stringValue {
      content = .button(payload: payload, text: text)
    } else {
      throw HTTPError(.badRequest, message: "there must be a text, or a button with payload and text")
    }
    let message = WebhookDocuments.Inbound(
      wamid: sandbox.ids.wamid(), phoneNumberID: phoneNumberID, displayNumber: displayNumber, from: from,
      name: body["name"]?.stringValue, content: content, context: body["context"]?.stringValue)
    sandbox.windows.open(from: from, to: phoneNumberID)
    let subject = "inbound \(Hashing.hex(Hashing.bytes(body.data())))"
    sandbox.post(Webhook.inbound(message, at: Date()), sandbox.draw(recipient: from, subject: subject))
    return .json(["wamid": .string(message.wamid)], status: .accepted)
  }
}
