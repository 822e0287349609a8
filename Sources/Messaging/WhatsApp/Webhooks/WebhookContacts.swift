/// The senders that a webhook names, to be found for each of its messages.
///
/// By keys, because a signed body may hold thousands of contacts and of messages: looking through all of one for each
/// of the other took half a minute.
struct WebhookContacts {
  private var byNumber: [String: [String: Any]] = [:]
  private var byUser: [String: [String: Any]] = [:]

  /// Of several contacts with the same number or user id the first counts.
  init(_ list: Any?) {
    for case let contact as [String: Any] in list as? [Any] ?? [] {
      if let number = contact["wa_id"] as? String, byNumber[number] == nil { byNumber[number] = contact }
      if let user = contact["user_id"] as? String, byUser[user] == nil { byUser[user] = contact }
    }
  }

  /// The contact of a sender: by the number where it is known, else by the user id.
  func contact(from number: String?, userID: String?) -> [String: Any]? {
    if let number { return byNumber[number] }
    return userID.flatMap { byUser[$0] }
  }
}
