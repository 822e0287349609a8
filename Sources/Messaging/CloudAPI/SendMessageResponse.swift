/// The response to an accepted message. Only the id is required.
struct SendMessageResponse: Decodable {
  struct Contact: Decodable { let wa_id: String? }
  struct Message: Decodable { let id: String }
  let contacts: [Contact]?
  let messages: [Message]

  private enum CodingKeys: String, CodingKey { case contacts, messages }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    messages = try values.decode([Message].self, forKey: .messages)
    contacts = try? values.decode([Contact].self, forKey: .contacts)
  }
}

/// The response to a refused message. Only the code is required.
struct ErrorResponse: Decodable {
  struct Problem: Decodable {
    let code: Int
    let error_subcode: Int?
    let is_transient: Bool?

    private enum CodingKeys: String, CodingKey { case code, error_subcode, is_transient }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      code = Int(try values.decode(Int32.self, forKey: .code))
      error_subcode = try? values.decode(Int.self, forKey: .error_subcode)
      is_transient = try? values.decode(Bool.self, forKey: .is_transient)
    }
  }
  let error: Problem
}
