import Foundation
import Testing
import WhatsApp

/// Every payload of the provider's documentation.
struct PayloadTests {
  @Test func `no payload is forgotten`() throws {
    #expect(try Payload.names() == Sample.all.map(\.file).sorted())
  }

  @Test(arguments: Sample.all)
  func `a payload is read as exactly its updates`(_ sample: Sample) throws {
    let updates = WebhookParser.updates(in: try Payload.data(sample.file))
    #expect(updates.map(text(of:)) == sample.updates)
  }

  @Test(arguments: Sample.all)
  func `what is stored of an update is the JSON that came`(_ sample: Sample) throws {
    let body = try Payload.data(sample.file)
    let whole = try canonical(JSONSerialization.jsonObject(with: body))
    for update in WebhookParser.updates(in: body) {
      let part = try canonical(json(update.raw))
      #expect(whole.contains(part), "\(part) is not in what came")
    }
  }

  @Test func `escapes are text in what is stored, and a body that is signed is read like any other`() throws {
    let updates = WebhookParser.updates(in: try Payload.data("sig_escaped_unicode_body"))
    let message = try #require(updates.first?.asMessage)
    let stored = try #require(try json(message.raw) as? [String: Any])
    let text = try #require(stored["text"] as? [String: Any])
    #expect(text["body"] as? String == "Olá, São Paulo 😀")
  }

  @Test func `a user without a number is known by the user id`() throws {
    let updates = WebhookParser.updates(in: try Payload.data("in_bsuid_username_no_phone"))
    let message = try #require(updates.first?.asMessage)
    #expect(message.from == nil)
    #expect(message.userID == "BR.13491208655302741918")
  }

  @Test func `a status of a user without a number has the user id for its recipient`() throws {
    let report = try onlyUpdate(
      #"{"statuses":[{"id":"wamid.1","status":"sent","timestamp":"1795414357","recipient_user_id":"BR.1349"}]}"#)
    #expect(report.asStatus?.recipient == "BR.1349")
  }

  @Test func `a contact's name goes with its own message only`() throws {
    let updates = WebhookParser.updates(
      in: webhook(
        """
        {"contacts":[{"profile":{"name":"Ana"},"wa_id":"551"},{"profile":{"name":"Bia"},"user_id":"BR.2"}],
         "messages":[{"id":"a","from":"551"},{"id":"b","from_user_id":"BR.2"},{"id":"c","from":"553"},{"id":"d"}]}
        """))
    #expect(updates.map { $0.asMessage?.profileName } == ["Ana", "Bia", nil, nil])
  }

  @Test(
    arguments: zip(
      [
        "APPROVED", "REINSTATED", "UNARCHIVED", "PAUSED", "DISABLED", "LOCKED", "DELETED", "PENDING_DELETION",
        "ARCHIVED", "REJECTED",
      ],
      [
        "approved", "approved", "approved", "paused", "disabled", "disabled", "disabled", "disabled", "disabled",
        "rejected",
      ]))
  func `a template's event says whether it may be used`(_ event: String, _ state: String) throws {
    let state = try #require(ProviderEvent.TemplateState(rawValue: state))
    #expect(try effect(ofTemplateEvent: event) == .template(name: "n", language: "pt_BR", state: state))
  }

  @Test(arguments: ["PENDING", "FLAGGED", "IN_APPEAL", "LIMIT_EXCEEDED", "SOMETHING_NEW", ""])
  func `an event that says nothing of a template's use changes nothing`(_ event: String) throws {
    #expect(try effect(ofTemplateEvent: event) == ProviderEvent.Effect.none)
  }

  private func effect(ofTemplateEvent event: String) throws -> ProviderEvent.Effect? {
    let value =
      #"{"event":"\#(event)","message_template_id":1,"message_template_name":"n","message_template_language":"pt_BR"}"#
    return WebhookParser.updates(in: webhook(value, field: "message_template_status_update")).first?.asEvent?.effect
  }
}
