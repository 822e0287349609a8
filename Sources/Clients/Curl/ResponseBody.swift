internal import Foundation
internal import Glibc

/// Where a response's body goes: into memory, or into a file that gets its name only when it is whole.
struct ResponseBody {
  private let bytesMax: Int
  private let path: String?
  private var memory = Data()
  private var file: UnsafeMutablePointer<FILE>?
  private var count = 0
  /// True once the body outgrew its limit.
  private(set) var isTooLarge = false
  /// True once the file could not be written.
  private(set) var hasFailed = false

  init(bytesMax: Int, path: String?) {
    self.bytesMax = bytesMax
    self.path = path
  }

  private var partPath: String? { path.map { $0 + ".part" } }

  /// Takes some bytes; false where no more may come. Only the body of a success goes to the file: an error's belongs to
  /// whoever reads the status.
  mutating func append(_ bytes: UnsafeRawBufferPointer, isSuccess: Bool) -> Bool {
    count += bytes.count
    guard count <= bytesMax else {
      isTooLarge = true
      return false
    }
    guard isSuccess, let partPath else {
      memory.append(contentsOf: bytes)
      return true
    }
    if file == nil { file = fopen(partPath, "wb") }
    guard let file, fwrite(bytes.baseAddress, 1, bytes.count, file) == bytes.count else {
      hasFailed = true
      return false
    }
    return true
  }

  /// The body is whole: names the file, or returns what is in memory.
  mutating func finish(isSuccess: Bool) throws -> Data {
    if isSuccess, let partPath, file == nil { file = fopen(partPath, "wb") }  // an empty body is a file as well
    guard isSuccess, let path, let partPath else { return memory }
    guard let file else { throw POSIXError(.EIO) }
    self.file = nil
    // The rename must not become durable before the bytes are.
    let isWritten = fflush(file) == 0 && fsync(fileno(file)) == 0
    guard fclose(file) == 0, isWritten, rename(partPath, path) == 0 else {
      unlink(partPath)
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    return memory
  }

  /// There will be no whole body.
  mutating func abandon() {
    guard let file, let partPath else { return }
    fclose(file)
    unlink(partPath)
    self.file = nil
  }
}
