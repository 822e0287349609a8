internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOFoundationEssentialsCompat

extension Response {
  /// A response with a JSON document; property names become snake_case keys.
  static func json(
    _ document: some Encodable, status: HTTPResponse.Status = .ok,
    headers: HTTPFields = [.contentType: "application/json"]
  ) throws -> Response {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Response(
      status: status, headers: headers, body: .init(byteBuffer: .init(data: try encoder.encode(document))))
  }
}
