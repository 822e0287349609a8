internal import Foundation
internal import HTTPTypes

/// What bodies may be declared as.
enum MediaType {
  /// Throws a 415 that names what is taken: `application/json` in UTF-8, not compressed.
  static func requireJSON(_ headers: HTTPFields) throws(Problem) {
    func refuse(_ header: String) throws(Problem) -> Never {
      throw Problem(
        .unsupportedMediaType,
        "the body must be JSON in UTF-8, not compressed: Content-Type: application/json, and no Content-Encoding",
        fields: [.init(pointer: "header:\(header)", detail: header == "Content-Type" ? typeDetail : "must be left out")]
      )
    }
    let encodings = headers[.contentEncoding]?.split(separator: ",").map { trimmed($0) } ?? []
    guard encodings.allSatisfy({ $0 == "identity" }) else { try refuse("Content-Encoding") }
    let parts = headers[.contentType]?.split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0) } ?? []
    guard parts.first == "application/json" else { try refuse("Content-Type") }
    for parameter in parts.dropFirst() where parameter.hasPrefix("charset=") {
      let charset = parameter.dropFirst("charset=".count).trimmingCharacters(in: CharacterSet(charactersIn: "\""))
      guard charset == "utf-8" || charset == "utf8" else { try refuse("Content-Type") }
    }
  }

  private static let typeDetail = "must be application/json, with charset=utf-8 or without a charset"

  private static func trimmed(_ text: Substring) -> String {
    text.trimmingCharacters(in: .whitespaces).lowercased()
  }
}
