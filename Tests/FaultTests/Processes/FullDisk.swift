import Foundation
import TestServers

/// A small disk in memory that is full, for a process' log; where none can be mounted, the device that is always full.
struct FullDisk: Sendable {
  /// The log: some bytes can still be written to it, but no whole line.
  let log: String
  /// nil: the device.
  private let folder: URL?

  init() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: TestEnvironment.uniqueName("disk"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    do {
      try await runTool(
        URL(filePath: "/usr/bin/env"), ["mount", "-t", "tmpfs", "-o", "size=64k", "vluma-disk", folder.path],
        environment: ProcessInfo.processInfo.environment)
    } catch {
      print("no disk can be mounted here: the log goes to /dev/full instead")
      try FileManager.default.removeItem(at: folder)
      (self.folder, log) = (nil, "/dev/full")
      return
    }
    self.folder = folder
    log = folder.appending(path: "log").path
    // Twenty bytes of its page are left.
    try Data(repeating: UInt8(ascii: "\n"), count: 4_076).write(to: URL(filePath: log))
    let file = FileManager.default.createFile(atPath: Self.ballast(folder).path, contents: nil)
    guard file, let ballast = FileHandle(forWritingAtPath: Self.ballast(folder).path) else {
      throw TestError(description: "\(folder.path) cannot be written")
    }
    defer { try? ballast.close() }
    while (try? ballast.write(contentsOf: Data(count: 4_096))) != nil {}
  }

  private static func ballast(_ folder: URL) -> URL { folder.appending(path: "ballast") }

  /// Makes room; nothing happens to the device.
  func free() { if let folder { try? FileManager.default.removeItem(at: Self.ballast(folder)) } }

  /// Unmounts the disk, also while a process has the log open.
  func remove() async {
    guard let folder else { return }
    _ = try? await runTool(
      URL(filePath: "/usr/bin/env"), ["umount", "--lazy", folder.path],
      environment: ProcessInfo.processInfo.environment)
    try? FileManager.default.removeItem(at: folder)
  }
}
