/// The text of an error for logs and dead letters.
///
/// Errors of this package say nothing personal. Those of the standard library and Foundation quote values, so only
/// their type is given.
struct ErrorDescription {
  let detail: String
  /// The error's type, by which dead letters are grouped.
  let cause: String

  init(_ error: any Error) {
    let type = Swift.type(of: error)
    cause = String(describing: type)
    let isForeign = ["Swift.", "Foundation"].contains { String(reflecting: type).hasPrefix($0) }
    detail = type is any CustomStringConvertible.Type && !isForeign ? "\(error)" : cause
  }
}
