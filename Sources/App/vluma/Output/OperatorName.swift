import Glibc

/// Who audit rows name: the login of the user who runs the command.
func operatorName() -> String { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid \(getuid())" }
