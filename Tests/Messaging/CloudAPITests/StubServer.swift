import Foundation
import Glibc
import TestServers

/// A server on a loopback port of the system's choice that treats every request in the same way: one thread, blocking
/// sockets, a request a connection. Call ``stop()`` at the end of the test.
final class StubServer: Sendable {
  /// What it does with a request.
  enum Behavior: Sendable {
    /// Sends this and closes the connection.
    case responds(String)
    /// Sends nothing, and waits until the client goes.
    case hangs
  }

  /// A request as it came.
  struct Request: Sendable {
    let head: String
    let body: String
  }

  private struct State: Sendable {
    var requests: [Request] = []
    var connection: Int32?
    var isStopped = false
  }

  let port: Int
  private let listener: Int32
  private let behavior: Behavior
  private let state = Locked(State())

  init(_ behavior: Behavior) throws {
    (listener, port) = try Loopback.listener(backlog: 8)
    self.behavior = behavior
    Thread.detachNewThread { [self] in run() }
  }

  /// An answer of the API.
  static func json(_ status: String, _ body: String) -> Behavior {
    .responds(
      "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nConnection: close\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }

  var url: String { "http://127.0.0.1:\(port)" }

  /// The requests that came wholly, in order.
  var requests: [Request] { state.value.requests }

  /// Stops listening, and ends the connection there is.
  func stop() {
    state.change { state in
      guard !state.isStopped else { return }
      state.isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      if let connection = state.connection { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func run() {
    while !state.value.isStopped {
      let descriptor = accept(listener, nil, nil)
      guard descriptor >= 0 else { continue }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let isWanted = state.change { state in
        if !state.isStopped { state.connection = descriptor }
        return !state.isStopped
      }
      if isWanted { serve(descriptor) }
      state.change { state in
        state.connection = nil
        close(descriptor)
      }
    }
    close(listener)
  }

  private func serve(_ descriptor: Int32) {
    guard let request = read(descriptor) else { return }
    state.change { $0.requests.append(request) }
    switch behavior {
    case .responds(let text):
      var left = Array(text.utf8)[...]
      while !left.isEmpty {
        let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return }
        left = left.dropFirst(count)
      }
    case .hangs:
      var byte: UInt8 = 0
      while recv(descriptor, &byte, 1, 0) > 0 {}
    }
  }

  /// Waits for a whole request; nil where the client goes before.
  private func read(_ descriptor: Int32) -> Request? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = recv(descriptor, &buffer, 16_384, 0)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
      let parts = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n")
      guard parts.count > 1 else { continue }
      let body = parts.dropFirst().joined(separator: "\r\n\r\n")
      let name = "content-length:"
      let header = parts[0].lowercased().components(separatedBy: "\r\n").first { $0.hasPrefix(name) }
      let length = header.flatMap { Int($0.dropFirst(name.count).trimmingCharacters(in: .whitespaces)) } ?? 0
      if body.utf8.count >= length { return Request(head: parts[0], body: body) }
    }
  }
}
