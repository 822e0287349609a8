import Foundation
import Glibc
import Synchronization
import TestServers

/// Clients of ingest that send nothing, half a header, half a body, or read no answers, and connect again when they are
/// cut off. One thread serves all of them.
final class SlowClients: Sendable {
  private enum Behaviour: Int, CaseIterable {
    case silent, slowHeader, slowBody, slowWebhook, readsNothing

    /// What is sent at once; slow clients add a byte twice a second.
    var beginning: String {
      switch self {
      case .silent: ""
      case .slowHeader: "POST /v1/bookings HTTP/1.1\r\nHost: a\r\nX-Slow: "
      case .slowBody:
        "POST /v1/bookings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{"
      case .slowWebhook:
        "POST /webhooks/whatsapp HTTP/1.1\r\nHost: a\r\nX-Hub-Signature-256: sha256=00\r\nContent-Length: 3000000\r\n\r\n{"
      case .readsNothing: String(repeating: "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", count: 500)
      }
    }
  }

  /// The number of connections, and how often one was opened.
  let count: Int
  private let target: sockaddr_in
  private let isStopped = Atomic(false)
  private let connects = Atomic(0)

  /// How often a connection was opened.
  var connectCount: Int { connects.load(ordering: .relaxed) }

  /// Connects `count` clients, or as many as the limit of descriptors allows, to the port on 127.0.0.1.
  init(_ count: Int, port: Int) {
    self.count = min(count, DescriptorLimit.raiseOwn() - 400)
    target = Loopback.address(port: port)
    Thread.detachNewThread { self.run() }
  }

  /// Closes all connections within a moment.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  private func run() {
    var sockets = [Int32](repeating: -1, count: count)
    var tick = 0
    while !isStopped.load(ordering: .relaxed) {
      // No more than 500 new connections a second: this is not a test of floods.
      var allowed = 50
      for index in sockets.indices {
        let behaviour = Behaviour.allCases[index % Behaviour.allCases.count]
        if sockets[index] < 0 {
          guard allowed > 0 else { continue }
          allowed -= 1
          sockets[index] = connect(behaviour)
        } else if !isOpen(sockets[index], behaviour, sendsByte: tick % 5 == index % 5) {
          close(sockets[index])
          sockets[index] = -1
        }
      }
      tick += 1
      usleep(100_000)
    }
    for socket in sockets where socket >= 0 { close(socket) }
  }

  /// - Returns: a socket, or -1.
  private func connect(_ behaviour: Behaviour) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return -1 }
    if behaviour == .readsNothing {
      var size: Int32 = 4_096
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var target = target
    withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        // In progress: on the loopback interface it is connected by the next round, or refused.
        _ = Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    _ = send(descriptor, behaviour.beginning)
    connects.add(1, ordering: .relaxed)
    return descriptor
  }

  private func send(_ socket: Int32, _ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty else { return true }
    return Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) >= 0 || errno == EAGAIN
  }

  /// False where the server has closed the connection.
  private func isOpen(_ socket: Int32, _ behaviour: Behaviour, sendsByte: Bool) -> Bool {
    guard behaviour != .silent else { return !isAtEnd(socket) }
    if sendsByte, !send(socket, behaviour == .readsNothing ? behaviour.beginning : "x") { return false }
    return behaviour == .readsNothing || !isAtEnd(socket)
  }

  private func isAtEnd(_ socket: Int32) -> Bool {
    var byte: UInt8 = 0
    let count = recv(socket, &byte, 1, Int32(MSG_DONTWAIT))
    return count == 0 || (count < 0 && errno != EAGAIN)
  }
}
