import Foundation
import Glibc
import TestServers

/// A server on 127.0.0.1 that answers each read with the bytes of a script, by the text of the command.
///
/// `@unchecked Sendable`: the variables are locked, the rest is immutable.
final class ScriptedRedis: @unchecked Sendable {
  let port: Int
  private let listener: Int32
  private let answer: @Sendable (String) -> String
  private let connections = Locked<[Int32]>([])
  private let accepted = Locked(0)

  init(_ answer: @escaping @Sendable (String) -> String) throws {
    (listener, port) = try Loopback.listener()
    self.answer = answer
    Thread.detachNewThread { self.acceptAll() }
  }

  /// How many connections were accepted so far.
  var connectionCount: Int { accepted.value }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    for descriptor in connections.value { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  private func acceptAll() {
    while true {
      let descriptor = accept(listener, nil, nil)
      guard descriptor >= 0 else { break }
      connections.change { $0.append(descriptor) }
      accepted.change { $0 += 1 }
      Thread.detachNewThread { self.serve(descriptor) }
    }
    close(listener)
  }

  private func serve(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      let reply = Array(answer(String(decoding: buffer.prefix(count), as: UTF8.self)).utf8)
      guard send(descriptor, reply, reply.count, Int32(MSG_NOSIGNAL)) == reply.count else { break }
    }
    connections.change { $0.removeAll { $0 == descriptor } }
    close(descriptor)
  }
}
