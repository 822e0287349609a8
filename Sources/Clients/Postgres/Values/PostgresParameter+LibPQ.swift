internal import Foundation

extension [PostgresParameter] {
  /// Calls `body` with the parameters as the four arrays that libpq takes; they are valid during the call only.
  func withLibPQArrays<Result>(
    _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
  ) -> Result {
    var arena: [UInt8] = []
    var offsets: [Int?] = []
    var lengths: [Int32] = []
    var formats: [Int32] = []
    for parameter in self {
      switch parameter {
      case .null:
        offsets.append(nil)
        lengths.append(0)
        formats.append(0)
      case .text(let text):
        offsets.append(arena.count)
        arena += text.utf8
        lengths.append(Int32(text.utf8.count))
        formats.append(0)
      case .binary(let data):
        offsets.append(arena.count)
        arena += data
        lengths.append(Int32(data.count))
        formats.append(1)
      }
      arena.append(0)
    }
    return arena.withUnsafeBytes { bytes in
      let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
      let values = offsets.map { offset in offset.flatMap { base?.advanced(by: $0) } }
      return body(Int32(count), values, lengths, formats)
    }
  }
}
