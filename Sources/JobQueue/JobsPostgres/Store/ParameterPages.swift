internal import Foundation
internal import Jobs

/// What one statement takes: the client refuses parameters of 1 GiB, and it keeps what it sends in memory.
enum ParameterPage {
  /// Bytes of one statement's rows. Where one row is larger it is written alone.
  static let bytesMax = 32 << 20

  /// What a row takes besides its body, roughly.
  static let rowOverhead = 512
}

extension Array {
  /// The rows in order, in pages of at most ``ParameterPage/bytesMax``, but at least one row each.
  func pages(_ size: (Element) -> Int) -> [ArraySlice<Element>] {
    var pages: [ArraySlice<Element>] = []
    var (start, bytes) = (startIndex, 0)
    for index in indices {
      let size = ParameterPage.rowOverhead + size(self[index])
      if index > start, bytes + size > ParameterPage.bytesMax {
        pages.append(self[start..<index])
        (start, bytes) = (index, 0)
      }
      bytes += size
    }
    if start < endIndex { pages.append(self[start...]) }
    return pages
  }
}
