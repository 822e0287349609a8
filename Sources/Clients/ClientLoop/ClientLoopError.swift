/// What can go wrong before a connection's thread exists.
package enum ClientLoopError: Error, CustomStringConvertible {
  /// The process is out of file descriptors (errno as the kernel gave it).
  case noFileDescriptor(errno: Int32)

  /// A sentence that is safe to log and says what an operator can do.
  package var description: String {
    switch self {
    case .noFileDescriptor(let errno):
      "no file descriptor left for a connection's thread (errno \(errno)): raise the process's limit (ulimit -n)"
    }
  }
}
