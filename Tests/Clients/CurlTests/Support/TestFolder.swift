import Foundation
import TestServers

/// A folder of a test's own.
struct TestFolder: Sendable {
  let url: URL

  /// Makes an empty one for the length of `body`, and then removes it with all that is in it.
  static func with(_ body: (TestFolder) async throws -> Void) async throws {
    let url = FileManager.default.temporaryDirectory.appending(path: TestEnvironment.uniqueName("curl"))
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try await body(TestFolder(url: url))
  }

  /// The path of a file in it.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// What a file in it holds; nil where there is none.
  func contents(_ name: String) -> Data? { FileManager.default.contents(atPath: path(name)) }

  func write(_ contents: Data, to name: String) throws {
    try contents.write(to: url.appending(path: name))
  }
}

/// Bytes whose order betrays a piece that is missing, doubled or moved.
func patternedBytes(_ count: Int) -> Data {
  var bytes = Data()
  var number = 0
  while bytes.count < count {
    bytes.append(Data(repeating: UInt8(number % 251), count: 997))
    number += 1
  }
  return Data(bytes.prefix(count))
}
