/// What is known of a body that was too large to be kept.
package struct OmittedBody: Sendable, Equatable {
  /// In bytes.
  package let size: Int
  /// SHA-256 of the bytes, in hexadecimal digits.
  package let sha256: String
}
