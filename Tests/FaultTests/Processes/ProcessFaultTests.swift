import Foundation
import Glibc
import TestPlatform
import TestServers
import Testing

/// The faults of processes do what they say; what the platform makes of them is shown by FaultRunTests.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ProcessFaultTests {
  @Test func `slow clients stay connected, and all are gone after they stop`() async throws {
    let (listener, port) = try Loopback.listener(backlog: 1_024)
    defer { close(listener) }
    _ = fcntl(listener, F_SETFL, O_NONBLOCK)
    let clients = SlowClients(300, port: port)
    var accepted: [Int32] = []
    defer { for socket in accepted { close(socket) } }
    try await eventually("all are connected") {
      while case let socket = accept(listener, nil, nil), socket >= 0 { accepted.append(socket) }
      return accepted.count == 300
    }
    clients.stop()
    // What they have sent is read, too.
    var buffer = [UInt8](repeating: 0, count: 65_536)
    try await eventually("none is connected") {
      accepted.removeAll { socket in
        let isGone = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT)) == 0
        if isGone { close(socket) }
        return isGone
      }
      return accepted.isEmpty
    }
  }

  @Test func `a process cannot open more than its lowered limit, until it is restored`() async throws {
    // A shell that opens a file each time it reads a line.
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "while read line; do (: </dev/null) 2>/dev/null && echo opened || echo refused; done"]
    (process.standardInput, process.standardOutput) = (input, output)
    try await process.runWithSignals()
    defer { process.terminate() }
    func tryToOpen() throws -> String {
      try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
      return String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }
    #expect(try tryToOpen() == "opened\n")
    let limit = try #require(try await DescriptorLimit(process.processIdentifier, spare: 0))
    #expect(try tryToOpen() == "refused\n")
    await limit.restore()
    #expect(try tryToOpen() == "opened\n")
  }

  @Test func `a full disk takes no whole line, until it is freed`() async throws {
    let disk = try await FullDisk()
    func log(_ text: String) async throws -> Bool {
      let shell = URL(filePath: "/bin/sh")
      let environment = ProcessInfo.processInfo.environment
      return (try? await runTool(shell, ["-c", "echo \(text) >>\(disk.log)"], environment: environment)) != nil
    }
    #expect(try await log(String(repeating: "x", count: 100)) == false)
    disk.free()
    // The device, where no disk can be mounted, is full for ever.
    #expect(try await log("y") == (disk.log != "/dev/full"))
    await disk.remove()
    #expect(disk.log == "/dev/full" || !FileManager.default.fileExists(atPath: disk.log))
  }

  @Test func `a stuck reader takes nothing, until it reads`() async throws {
    let reader = try StuckReader()
    defer { reader.close() }
    let writer = open(reader.path, O_WRONLY | O_CLOEXEC | O_NONBLOCK)
    defer { close(writer) }
    #expect(write(writer, "x", 1) == -1)
    reader.read()
    try await eventually("a byte is taken") { write(writer, "x", 1) == 1 }
  }
}
