extension RabbitMQConfiguration {
  /// How a connection is encrypted (TLS 1.2 or later), which servers are trusted, and the client's certificate.
  ///
  /// All files are PEM. They are read again for every connection, so that renewed certificates need no restart.
  struct TLS: Sendable, Equatable {
    /// A client certificate and its key.
    struct Identity: Sendable, Equatable {
      /// The certificate, followed by those that lead to its authority: the URL's `certfile`.
      let certificateFile: String
      /// The certificate's private key, without a password: the URL's `keyfile`.
      let keyFile: String
    }

    /// The certificates of the authorities that are trusted: the URL's `cacertfile`, or else ``systemAuthorities``. Nil
    /// only where the server is not verified and none was named.
    let authoritiesFile: String?
    /// The client's certificate, sent where the broker asks for one; nil: none.
    let identity: Identity?
    /// False for the URL's `verify=verify_none`: **unsafe**, any server that answers is trusted, and gets the password.
    let verifiesServer: Bool
    /// The name that the certificate must be for, and that is indicated to the server (SNI), where it is not the
    /// host's: the URL's `server_name_indication`.
    let serverName: String?

    /// Debian's bundle of public authorities (ca-certificates).
    static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    init(_ parameters: RabbitMQURLParameters) throws(RabbitMQError) {
      switch parameters["verify"] ?? "verify_peer" {
      case "verify_peer": verifiesServer = true
      case "verify_none": verifiesServer = false
      default: throw .invalidURL("its verify must be verify_peer or verify_none")
      }
      let certificate = try parameters.file("certfile")
      let key = try parameters.file("keyfile")
      if let certificate, let key {
        identity = Identity(certificateFile: certificate, keyFile: key)
      } else if certificate == nil, key == nil {
        identity = nil
      } else {
        throw .invalidURL("it names only one of certfile and keyfile; a client certificate needs both")
      }
      let given = try parameters.file("cacertfile")
      if given == nil, verifiesServer, !RabbitMQURLParameters.canRead(Self.systemAuthorities) {
        throw .invalidURL(
          "it names no cacertfile, and \(Self.systemAuthorities) cannot be read; install ca-certificates or name one")
      }
      authoritiesFile = given ?? (verifiesServer ? Self.systemAuthorities : nil)
      let name = parameters["server_name_indication"]
      if name?.isEmpty == true || name == "disable" {
        throw .invalidURL("its server_name_indication must be a name; verify=verify_none turns verification off")
      }
      serverName = name
    }
  }
}
