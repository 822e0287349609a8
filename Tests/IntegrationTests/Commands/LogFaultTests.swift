import Curl
import Foundation
import Glibc
import TestPlatform
import TestServers
import Testing

/// A log that cannot be written costs log lines only.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LogFaultTests {
  @Test func `jobs run while the log's disk is full`() async throws {
    try await Platform.with { platform in
      let port = try Loopback.freePort()
      let everything = try await platform.start(
        ["up"], overriding: ["VLUMA_HTTP_PORT": "\(port)", "VLUMA_LOG_LEVEL": "debug"], shell: "exec 2>/dev/full")
      try await book(at: port, platform, everything)
      let metrics = String(
        decoding: try await platform.request("GET", "http://127.0.0.1:\(port)/metrics").body, as: UTF8.self)
      let dropped = try #require(metrics.firstMatch(of: /\nvluma_log_lines_dropped_total ([0-9]+)/))
      #expect(try #require(Int(dropped.1)) > 0)
      everything.send(SIGTERM)
      #expect(try await everything.ended() == 0)
    }
  }

  @Test func `jobs run while the log's reader has stopped, and it gets the lines when it reads again`() async throws {
    try await Platform.with { platform in
      let port = try Loopback.freePort()
      let pipe = FileManager.default.temporaryDirectory.appending(path: TestEnvironment.uniqueName("log")).path
      #expect(mkfifo(pipe, 0o600) == 0)
      defer { unlink(pipe) }
      // Both ends, so that opening does not wait; full from the beginning.
      let reader = open(pipe, O_RDWR | O_CLOEXEC | O_NONBLOCK)
      defer { close(reader) }
      var buffer = [UInt8](repeating: UInt8(ascii: "\n"), count: 4_096)
      while write(reader, buffer, buffer.count) > 0 {}
      let everything = try await platform.start(
        ["up"], overriding: ["VLUMA_HTTP_PORT": "\(port)"], shell: "exec 2>\(pipe)")
      try await book(at: port, platform, everything)
      var text = ""
      try await eventually(within: .seconds(5), "the lines are read") {
        while case let count = read(reader, &buffer, buffer.count), count > 0 {
          text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text.contains("listening address=")
      }
      everything.send(SIGTERM)
      #expect(try await everything.ended() == 0)
    }
  }

  private func book(at port: Int, _ platform: Platform, _ process: PlatformProcess) async throws {
    let address = "http://127.0.0.1:\(port)"
    try await eventually(within: .seconds(20), "the process is ready") {
      guard process.isRunning else { throw TestError(description: "the process ended early") }
      return (try? await platform.request("GET", "\(address)/readyz"))?.status == 200
    }
    let booking = try #require(try await platform.book(0, at: address)?.booking)
    try await platform.waitForBooking(booking, status: "confirmed")
    #expect(process.isRunning)
  }

  @Test func `an error that cannot be printed still gives its exit status`() async throws {
    try await Platform.with { platform in
      let check = try await platform.start(
        ["check"], overriding: ["VLUMA_QUEUES_FILE": "/nonexistent"], shell: "exec 2>/dev/full")
      #expect(try await check.ended() == 78)
    }
  }

  @Test(arguments: [["check", "--env"], ["queues"], ["queues", "--json"], ["queues", "--watch"], ["help", "scale"]])
  func `output that cannot be written is a failure, and ends a command that repeats`(_ arguments: [String]) async throws
  {
    try await Platform.with { platform in
      let command = try await platform.start(arguments, shell: "exec 1>/dev/full")
      #expect(try await command.ended() == 74)
      #expect(command.output.contains("standard output could not be written"))
    }
  }
}
