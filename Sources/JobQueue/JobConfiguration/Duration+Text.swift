extension Duration {
  /// Rounded towards zero.
  package var wholeMilliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }

  /// The form that queues.yaml takes, in the largest whole unit: `200ms`, `30s`, `2m`, `1h`.
  package var compactText: String {
    let milliseconds = wholeMilliseconds
    for (suffix, size) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
    where milliseconds != 0 && milliseconds % size == 0 {
      return "\(milliseconds / size)\(suffix)"
    }
    return "\(milliseconds)ms"
  }
}
