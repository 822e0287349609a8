package import Foundation

/// A whole response.
package struct CurlResponse: Sendable {
  /// The status code of the final response, after any interim ones; redirects are not followed.
  package let status: Int
  /// In the order received, names in lower case.
  package let headers: [(name: String, value: String)]
  /// At most ``CurlRequest/responseBytesMax`` bytes.
  package let body: Data

  /// The first header of that lower-case name.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
