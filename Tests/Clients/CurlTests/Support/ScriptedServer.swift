import Foundation
import Glibc
import TestServers

/// A server of the test's own that does with every connection exactly what its script says.
///
/// It consists of blocking threads only: one that accepts, and one per connection, which runs the script and closes the
/// connection behind it. Call ``stop()`` at the end of the test.
final class ScriptedServer: Sendable {
  private struct State: Sendable {
    var isListening = true
    var isStopped = false
    var accepted = 0
    var open: [ScriptedConnection] = []
    var requests: [ScriptedRequest] = []
  }

  /// An answer that leaves the connection open.
  static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

  let port: Int
  private let listener: Int32
  private let script: @Sendable (ScriptedConnection) -> Void
  private let state = Locked(State())

  init(_ script: @escaping @Sendable (ScriptedConnection) -> Void) throws {
    let bound = try Loopback.boundSocket()
    listener = bound.descriptor
    port = bound.port
    self.script = script
    guard listen(listener, 256) == 0 else { throw TestError(description: "cannot listen (errno \(errno))") }
    Thread.detachNewThread { [self] in acceptAll() }
  }

  /// Answers one request on each connection with a head and a body, and closes it; nil: reads, and sends nothing.
  convenience init(answering head: String?, body: Data = Data()) throws {
    try self.init { connection in
      guard connection.readRequest() != nil else { return }
      if let head {
        connection.send(head)
        connection.send(body)
      } else {
        connection.waitForClose()
      }
    }
  }

  var url: String { "http://127.0.0.1:\(port)/" }

  /// The requests that were read wholly, on all connections, in order.
  var requests: [ScriptedRequest] { state.value.requests }

  /// How many of those have a first line with this in it.
  func count(of text: String) -> Int { requests.filter { $0.line.contains(text) }.count }

  /// How many connections it has taken so far.
  var connectionCount: Int { state.value.accepted }

  /// How many of them stand.
  var openConnectionCount: Int { state.value.open.count }

  /// Stops listening, and ends all connections.
  func stop() {
    stopListening()
    state.change { state in
      state.isStopped = true
      for connection in state.open { connection.interrupt() }
    }
  }

  /// Refuses new connections; those that stand go on.
  func stopListening() {
    state.change { state in
      guard state.isListening else { return }
      state.isListening = false
      shutdown(listener, Int32(SHUT_RDWR))
    }
  }

  func record(_ request: ScriptedRequest) { state.change { $0.requests.append(request) } }

  private func acceptAll() {
    while true {
      let descriptor = accept(listener, nil, nil)
      if descriptor < 0, errno == EINTR || errno == ECONNABORTED { continue }
      guard descriptor >= 0 else { break }
      setCloseOnExec(descriptor)
      serve(descriptor)
    }
    state.change { state in
      state.isListening = false
      close(listener)
    }
  }

  private func serve(_ descriptor: Int32) {
    let connection: ScriptedConnection = state.change { state in
      state.accepted += 1
      let connection = ScriptedConnection(descriptor, number: state.accepted, server: self)
      state.open.append(connection)
      if state.isStopped { connection.interrupt() }
      return connection
    }
    Thread.detachNewThread { [self] in
      script(connection)
      connection.end()
      state.change { state in state.open.removeAll { $0 === connection } }
    }
  }
}
