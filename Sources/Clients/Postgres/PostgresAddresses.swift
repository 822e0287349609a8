internal import CLibPQ
internal import ClientLoop
internal import Foundation

/// The servers of a URL with their addresses, as libpq's parameters: it looks names up by itself otherwise, and blocks
/// for as long as a silent name server lets it.
struct PostgresAddresses {
  /// `host`, `hostaddr` and `port`; empty where the URL gives addresses, or a socket's folder.
  private(set) var parameters: [(String, String)] = []

  init(
    _ url: String, until deadline: ContinuousClock.Instant, resolver: HostResolver = .system,
    isCancelled: () -> Bool = { false }
  ) throws(HostResolver.Failure) {
    let settings = Self.settings(url)
    guard settings["hostaddr"] == nil, let names = settings["host"], !names.isEmpty else { return }
    let hosts = names.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let ports = (settings["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    // libpq takes one port for all hosts, or one for each; anything else is its error to report.
    guard ports.count <= 1 || ports.count == hosts.count else { return }
    var entries: [(host: String, address: String, port: String)] = []
    var failure: HostResolver.Failure?
    for (index, host) in hosts.enumerated() {
      let port = ports.count > 1 ? ports[index] : ports.first ?? ""
      if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") {
        entries.append((host, "", port))
        continue
      }
      do throws(HostResolver.Failure) {
        for address in try resolver.addresses(of: host, until: deadline, isCancelled: isCancelled) {
          entries.append((host, address, port))
        }
      } catch { failure = error }
    }
    // One of several hosts may have no address.
    if entries.isEmpty, let failure { throw failure }
    parameters = [
      ("host", entries.map(\.host).joined(separator: ",")),
      ("hostaddr", entries.map(\.address).joined(separator: ",")),
      ("port", entries.map(\.port).joined(separator: ",")),
    ]
  }

  private static func settings(_ url: String) -> [String: String] {
    guard let options = PQconninfoParse(url, nil) else { return [:] }
    defer { PQconninfoFree(options) }
    var settings: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { settings[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    return settings
  }
}
