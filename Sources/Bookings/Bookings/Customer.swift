/// Who a booking is for. Personal data: never in logs.
package struct Customer: Sendable, Equatable, Codable {
  /// The name as the customer gave it.
  package let name: String
  /// E.164, such as `+5511987654321`.
  package let phone: String

  package init(name: String, phone: String) {
    self.name = name
    self.phone = phone
  }
}
