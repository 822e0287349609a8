extension Substring {
  /// True if it has only the digits 0 to 9. `Int` takes signs as well.
  var isDigits: Bool { utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
}

/// A number with leading zeros.
func padded(_ number: Int, _ width: Int) -> String {
  String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)"
}
