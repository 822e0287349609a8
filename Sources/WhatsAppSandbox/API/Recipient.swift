struct Recipient: Sendable, Equatable {
  /// As in the request.
  let input: String
  /// The number; nil: the request names a business-scoped user id instead.
  let digits: String?

  /// Identifies the recipient within the sandbox.
  var key: String { digits ?? input }
  /// The business-scoped user id.
  var user: String { digits.map(SandboxIDs.user) ?? input }
}
