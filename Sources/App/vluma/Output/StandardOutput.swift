import Glibc

/// Standard output, which `print` writes to without reporting errors.
enum StandardOutput {
  /// Flushes what was printed; throws ``OutputNotWritten`` where it could not be written.
  static func flush() throws(OutputNotWritten) {
    guard fflush(nil) != 0 else { return }
    throw OutputNotWritten(errno: errno)
  }
}

/// Standard output did not take what was printed: a full disk, or a reader that is gone.
struct OutputNotWritten: Error, CustomStringConvertible {
  let errno: Int32
  var description: String { "standard output could not be written: \(String(cString: strerror(errno)))" }
}
