import Glibc

/// The process' limit of open file descriptors (RLIMIT_NOFILE), and the part of it for clients of the HTTP server.
///
/// The limit must not be reached: libdispatch, on which all tasks run, opens /proc files once a second and ends the
/// process when it cannot. So what each part may open is bounded, and the bounds together leave a reserve.
enum DescriptorLimit {
  /// For standard streams, event loops, DNS look-ups, files that are read, and what libdispatch opens.
  private static let reserve = 96
  /// Connections of libcurl to WhatsApp: `CURLMOPT_MAX_HOST_CONNECTIONS` of `CurlClient`.
  private static let curlConnections = 256
  /// Publishing, consuming, Redis, listening for PostgreSQL's notifications, collecting the status: a socket and an
  /// eventfd each, with some to spare while one replaces another.
  private static let otherConnections = 32
  /// With fewer clients than this, ingest could not serve.
  private static let clientsMin = 64
  /// More clients than this need more memory than one process should use: about 40 KiB each in the worst
  /// case, and their bodies.
  private static let clientsMax = 8_192

  /// The limit leaves too few descriptors to work with.
  struct TooLow: Error, CustomStringConvertible {
    let limit: Int
    let needed: Int
    var description: String {
      "the process may open \(limit) files and connections and needs \(needed): raise the limit (ulimit -n \(needed), or LimitNOFILE= of its systemd unit)"
    }
  }

  /// Raises the soft limit to the hard one: the soft one is 1,024 on most systems for the sake of select(2), which
  /// nothing here calls.
  static func raise() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// The limit in force; nil where it cannot be read.
  static var current: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return Int(clamping: limit.rlim_cur)
  }

  /// How many clients may be connected at a time; throws ``TooLow`` where too few descriptors would be left for them.
  static func clients(limit: Int?, postgresConnections: Int) throws(TooLow) -> Int {
    guard let limit else { return clientsMin }
    let own = reserve + curlConnections + otherConnections + postgresConnections
    guard limit - own >= clientsMin else { throw TooLow(limit: limit, needed: own + clientsMin) }
    return min(limit - own, clientsMax)
  }
}
