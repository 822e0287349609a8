/// What may be told of an error in logs and certificates of death.
///
/// The platform's own errors say only what they may say. The standard library's and Foundation's quote values: of them
/// only the type is told.
struct ErrorDescription {
  let detail: String
  /// The error's type, by which deaths are grouped.
  let cause: String

  init(_ error: any Error) {
    let type = Swift.type(of: error)
    cause = String(describing: type)
    let isForeign = ["Swift.", "Foundation"].contains { String(reflecting: type).hasPrefix($0) }
    detail = type is any CustomStringConvertible.Type && !isForeign ? "\(error)" : cause
  }
}
