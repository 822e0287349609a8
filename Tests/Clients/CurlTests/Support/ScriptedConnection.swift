import Foundation
import Glibc
import TestServers

/// A request as a ``ScriptedServer`` read it.
struct ScriptedRequest: Sendable {
  /// The request line and the headers, with the empty line behind them.
  let head: String
  let body: Data
  /// Which of the server's connections it came on, counted from 1.
  let connection: Int

  /// The first line, such as `GET / HTTP/1.1`.
  var line: String { head.components(separatedBy: "\r\n").first ?? "" }
}

/// One connection of a ``ScriptedServer``, as its script sees it.
///
/// `@unchecked Sendable`: `unread` belongs to the script's thread; `isEnded` is locked, so that no other thread touches
/// a descriptor that is closed.
final class ScriptedConnection: @unchecked Sendable {
  /// Counted from 1.
  let number: Int
  let server: ScriptedServer
  private let descriptor: Int32
  private let isEnded = Locked(false)
  private var unread: [UInt8] = []

  init(_ descriptor: Int32, number: Int, server: ScriptedServer) {
    self.descriptor = descriptor
    self.number = number
    self.server = server
  }

  // MARK: Reading

  /// Waits for a whole request, which then is one of ``ScriptedServer/requests``; nil where the client goes before.
  func readRequest() -> ScriptedRequest? {
    guard let head = readHead() else { return nil }
    let name = "content-length:"
    let header = head.lowercased().components(separatedBy: "\r\n").first { $0.hasPrefix(name) }
    let length = header.flatMap { Int($0.dropFirst(name.count).trimmingCharacters(in: .whitespaces)) } ?? 0
    guard waitForBytes(length) else { return nil }
    let request = ScriptedRequest(head: head, body: Data(unread.prefix(length)), connection: number)
    unread.removeFirst(length)
    server.record(request)
    return request
  }

  /// Waits for the head of a request; what follows it stays unread.
  func readHead() -> String? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let start = unread.indices.first(where: { unread[$0...].starts(with: end) }) {
        let head = String(decoding: unread[..<(start + end.count)], as: UTF8.self)
        unread.removeFirst(start + end.count)
        return head
      }
      guard fill() else { return nil }
    }
  }

  /// Waits until so many unread bytes are there; false where the client goes before.
  @discardableResult
  func waitForBytes(_ count: Int) -> Bool {
    while unread.count < count {
      guard fill() else { return false }
    }
    return true
  }

  /// Reads and forgets until the client goes, or the server is stopped.
  func waitForClose() { repeat { unread = [] } while fill() }

  private func fill() -> Bool {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    var count = 0
    repeat { count = recv(descriptor, &bytes, 65_536, 0) } while count < 0 && errno == EINTR
    guard count > 0 else { return false }
    unread.append(contentsOf: bytes[..<count])
    return true
  }

  // MARK: Answering

  /// Sends all of it; false where the client is gone.
  @discardableResult
  func send(_ text: String) -> Bool { send(Data(text.utf8)) }

  /// Sends all of it; false where the client is gone.
  @discardableResult
  func send(_ bytes: Data) -> Bool {
    var left = Array(bytes)[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      left = left.dropFirst(count)
    }
    return true
  }

  // MARK: Ending

  /// Ends the connection with a reset instead of an orderly close.
  func reset() {
    isEnded.change { isEnded in
      guard !isEnded else { return }
      isEnded = true
      var atOnce = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
      close(descriptor)
    }
  }

  /// Ends the connection as its script's end does.
  func end() {
    isEnded.change { isEnded in
      guard !isEnded else { return }
      isEnded = true
      close(descriptor)
    }
  }

  /// Makes the script's reading and sending fail; any thread may call it.
  func interrupt() {
    isEnded.change { isEnded in
      guard !isEnded else { return }
      shutdown(descriptor, Int32(SHUT_RDWR))
    }
  }
}
