/// How large the body of a request may be, by its path: it is read before the request is routed.
struct BodyLimit: Equatable {
  let kind: BodyBudget.Kind
  /// 0: such a request has no body, and what comes is not read.
  let bytesMax: Int

  static let none = BodyLimit(kind: .api, bytesMax: 0)
  static let api = BodyLimit(kind: .api, bytesMax: 64 << 10)
  /// WhatsApp's own limit is 3 MB.
  static let webhook = BodyLimit(kind: .webhook, bytesMax: 3 << 20)

  /// - Parameter target: the request line's target, in origin or absolute form.
  static func of(_ target: String) -> BodyLimit {
    var path = target[...]
    if !path.hasPrefix("/"), let scheme = path.firstRange(of: "://") {
      path = path[scheme.upperBound...]
      path = path[(path.firstIndex(of: "/") ?? path.endIndex)...]
    }
    if path.hasPrefix("/webhooks/") { return .webhook }
    return path.hasPrefix("/v1/") ? .api : .none
  }
}
