import Curl
import Foundation
import TestServers
import Testing

/// A file appears under its name when it is whole, or not at all.
@Suite(.timeLimit(.minutes(1)))
struct CurlDownloadTests {
  private let client = CurlClient()

  /// Answers beginning with 200 that end early.
  static let fragments = [
    "HTTP/1.1 200 OK\r\nX-One: a\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  ]

  /// Lends a server that answers with these bytes, and an empty folder.
  private func withAnswer(
    _ head: String, _ answer: Data = Data(), _ body: (ScriptedServer, TestFolder) async throws -> Void
  ) async throws {
    let server = try ScriptedServer(answering: head, body: answer)
    defer { server.stop() }
    try await TestFolder.with { folder async throws in try await body(server, folder) }
  }

  /// Downloads into `file` of the folder, and expects that to fail.
  private func failure(_ request: CurlRequest, _ folder: TestFolder, _ file: String = "file") async -> CurlError? {
    await #expect(throws: CurlError.self) { try await client.download(request, to: folder.path(file)) }
  }

  @Test func `the body lands whole in the file`() async throws {
    let content = patternedBytes(5_000_000)
    try await withAnswer("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", content) { server, folder async throws in
      let response = try await client.download(CurlRequest("GET", server.url), to: folder.path("file"))
      #expect(response.status == 200)
      #expect(response.body.isEmpty)
      #expect(folder.names == ["file"])
      #expect(folder.contents("file") == content)
    }
  }

  @Test func `an empty body makes an empty file`() async throws {
    try await withAnswer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server, folder async throws in
      let response = try await client.download(CurlRequest("GET", server.url), to: folder.path("file"))
      #expect(response.status == 200)
      #expect(folder.names == ["file"])
      #expect(folder.contents("file") == Data())
    }
  }

  @Test(arguments: [301, 404, 500])
  func `the body of anything but a success makes no file`(_ status: Int) async throws {
    try await withAnswer("HTTP/1.1 \(status) No\r\nContent-Length: 4\r\n\r\ngone") { server, folder async throws in
      let response = try await client.download(CurlRequest("GET", server.url), to: folder.path("file"))
      #expect(response.status == status)
      #expect(response.body == Data("gone".utf8))
      #expect(folder.names.isEmpty)
    }
  }

  @Test(arguments: ["Content-Length: 500000", "Connection: close"])
  func `a body larger than allowed leaves no file`(_ header: String) async throws {
    let content = patternedBytes(500_000)
    try await withAnswer("HTTP/1.1 200 OK\r\n\(header)\r\n\r\n", content) { server, folder async throws in
      let error = await failure(CurlRequest("GET", server.url, responseBytesMax: 499_999), folder)
      #expect(error?.reason == .responseTooLarge)
      #expect(folder.names.isEmpty)
    }
  }

  @Test(arguments: CurlDownloadTests.fragments)
  func `a connection cut in the middle leaves no file`(_ fragment: String) async throws {
    try await withAnswer(fragment) { server, folder async throws in
      let error = await failure(CurlRequest("GET", server.url), folder)
      #expect(error?.reason == .connectionLost)
      #expect(folder.names.isEmpty)
    }
  }

  @Test func `a cancelled download leaves no file`() async throws {
    let server = try ScriptedServer { connection in
      guard connection.readRequest() != nil else { return }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
      connection.waitForClose()
    }
    defer { server.stop() }
    try await TestFolder.with { folder async throws in
      let request = CurlRequest("GET", server.url)
      let task = Task { [client] in try await client.download(request, to: folder.path("file")) }
      try await eventually("the file has begun") { folder.names == ["file.part"] }
      task.cancel()
      await #expect(throws: (any Error).self) { try await task.value }
      try await eventually("what there was of it is gone") { folder.names.isEmpty }
      try await eventually("the connection is closed") { server.openConnectionCount == 0 }
      #expect(folder.names.isEmpty)
    }
  }

  @Test(arguments: ["", "x"])
  func `a folder that does not exist is an error`(_ content: String) async throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(content.utf8.count)\r\n\r\n"
    try await withAnswer(head, Data(content.utf8)) { server, folder async throws in
      let error = await failure(CurlRequest("GET", server.url), folder, "missing/file")
      #expect(error?.reason == .fileNotWritten)
      #expect(folder.names.isEmpty)
    }
  }

  @Test(arguments: [10, 300_000])
  func `a disk that is full leaves no file`(_ count: Int) async throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n"
    try await withAnswer(head, patternedBytes(count)) { server, folder async throws in
      let part = folder.path("file.part")
      try FileManager.default.createSymbolicLink(atPath: part, withDestinationPath: "/dev/full")
      let error = await failure(CurlRequest("GET", server.url), folder)
      #expect(error?.reason == .fileNotWritten)
      #expect(folder.names.isEmpty)
    }
  }

  @Test func `a name that is a folder's is an error`() async throws {
    try await withAnswer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody") { server, folder async throws in
      try FileManager.default.createDirectory(atPath: folder.path("file"), withIntermediateDirectories: false)
      let error = await failure(CurlRequest("GET", server.url), folder)
      #expect(error?.reason == .fileNotWritten)
      #expect(folder.names == ["file"])
    }
  }

  @Test func `an earlier file gives way to a whole one, and what was left of a download to nothing`() async throws {
    try await withAnswer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew") { server, folder async throws in
      try folder.write(Data("earlier".utf8), to: "file")
      try folder.write(Data("left by a process that died".utf8), to: "file.part")
      _ = try await client.download(CurlRequest("GET", server.url), to: folder.path("file"))
      #expect(folder.names == ["file"])
      #expect(folder.contents("file") == Data("new".utf8))
    }
  }

  @Test(arguments: CurlDownloadTests.fragments)
  func `an earlier file stays where the new one is not whole`(_ fragment: String) async throws {
    try await withAnswer(fragment) { server, folder async throws in
      try folder.write(Data("earlier".utf8), to: "file")
      _ = await failure(CurlRequest("GET", server.url), folder)
      #expect(folder.names == ["file"])
      #expect(folder.contents("file") == Data("earlier".utf8))
    }
  }
}
