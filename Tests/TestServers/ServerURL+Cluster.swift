internal import Foundation

extension ServerURL {
  /// The same kind of server as a cluster on these ports, all in one URL (`scheme://host:port,host:port/...`);
  /// ``host`` and ``port`` are those of the first node.
  package func cluster(onPorts ports: [Int]) throws -> ServerURL {
    guard let first = ports.first else { throw ServerMissing(description: "a cluster needs at least one port") }
    let nodes = ports.map { "\(host):\($0)" }.joined(separator: ",")
    return ServerURL(string.replacingOccurrences(of: "\(host):\(port)", with: nodes), host: host, port: first)
  }

  private init(_ string: String, host: String, port: Int) {
    self.string = string
    self.host = host
    self.port = port
  }
}
