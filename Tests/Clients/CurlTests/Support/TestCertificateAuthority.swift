import Foundation

/// A certificate authority of the test's own, made with the openssl command.
struct TestCertificateAuthority: Sendable {
  /// The PEM file by which a client trusts it.
  let certificate: String
  private let key: String
  private let folder: TestFolder

  init(_ name: String, in folder: TestFolder) async throws {
    self.folder = folder
    certificate = folder.path("\(name).pem")
    key = folder.path("\(name).key")
    try await Self.makeKey(
      key, ["req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-out", certificate], in: folder)
  }

  /// Issues a certificate for names such as `DNS:localhost,IP:127.0.0.1`; a negative number of days: it has expired.
  func issue(_ name: String, for names: String, days: Int = 2) async throws -> ServerCertificate {
    let issued = ServerCertificate(file: folder.path("\(name).pem"), key: folder.path("\(name).key"))
    let signingRequest = folder.path("\(name).csr")
    try await Self.makeKey(
      issued.key, ["req", "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-out", signingRequest],
      in: folder)
    let arguments = [
      "x509", "-req", "-in", signingRequest, "-CA", certificate, "-CAkey", key, "-CAcreateserial", "-days", "\(days)",
      "-copy_extensions", "copy", "-out", issued.file,
    ]
    try await runProgram("/usr/bin/openssl", arguments, in: folder)
    return issued
  }

  /// Runs an openssl command that makes a new key as well.
  private static func makeKey(_ key: String, _ command: [String], in folder: TestFolder) async throws {
    var arguments = command
    arguments += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    try await runProgram("/usr/bin/openssl", arguments, in: folder)
  }
}

/// A server's certificate with its key, both as PEM files.
struct ServerCertificate: Sendable {
  /// The names under which the tests reach their servers.
  static let goodNames = "DNS:localhost,IP:127.0.0.1"

  let file: String
  let key: String
}
