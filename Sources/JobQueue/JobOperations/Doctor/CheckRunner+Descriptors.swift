internal import Jobs

/// Whether live processes may open enough files and connections (RLIMIT_NOFILE), as they report it.
extension CheckRunner {
  /// An ingest process that may open fewer has few places for clients. A worker process needs no more than its budget,
  /// without which it does not start.
  private static let recommended = 4_096
  /// The percentage beyond which it is time to look.
  private static let percentMax = 90.0

  func descriptors() -> CheckResult {
    guard let nodes = contents?.nodes else { return CheckResult(unknownReason: unknownReason(.store) ?? "") }
    let shares = nodes.compactMap { share(of: $0) }
    let highest = Int(min(shares.max() ?? 0, 999).rounded(.up))
    return CheckResult(
      nodes.compactMap(crowded) + cramped(nodes),
      note: "at most \(highest) % open in any of \(nodes.count) live \(nodes.count == 1 ? "process" : "processes")",
      unknownReason: unreported(shares.count, of: nodes.count))
  }

  /// Why the picture is not whole; nil: it is.
  private func unreported(_ reported: Int, of all: Int) -> String? {
    if all == 0 { return "no live process" }
    if reported == 0 { return "no live process reports them" }
    return reported < all ? "\(all - reported) of \(all) live processes do not report them" : nil
  }

  /// How many percent of its descriptors a process has open; nil: unknown.
  private func share(of node: NodeReport) -> Double? {
    guard let open = node.resources?.openDescriptors, let limit = node.resources?.descriptorsMax, open >= 0, limit > 0
    else { return nil }
    return Double(open) * 100 / Double(limit)
  }

  private func crowded(_ node: NodeReport) -> Finding? {
    guard let share = share(of: node), share > Self.percentMax, let open = node.resources?.openDescriptors,
      let limit = node.resources?.descriptorsMax
    else { return nil }
    return Finding(
      .descriptors, .warning, "\(node.id) has \(open) files and connections open, and may have \(limit)",
      advice:
        "Where none is left it takes no clients, reaches no servers, and may end. Raise its limit (LimitNOFILE= of "
        + "its systemd unit, or ulimit -n where it is started) and restart it, or start more processes.", commands: [])
  }

  /// Ingest processes with few places for clients: one finding for each limit.
  private func cramped(_ nodes: [NodeReport]) -> [Finding] {
    var idsByLimit: [[Int]: [String]] = [:]
    for node in nodes {
      guard let limit = node.resources?.descriptorsMax, let clients = node.resources?.clientsMax,
        limit < Self.recommended
      else { continue }
      idsByLimit[[limit, clients], default: []].append(node.id)
    }
    return idsByLimit.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, ids in
      Finding(
        .descriptors, .warning,
        "\(listed(ids.sorted(), most: 2)) may have \(key[0]) files and connections open"
          + "\(ids.count == 1 ? "" : " each"), which leaves places for \(counted(key[1], "client"))",
        advice: "More clients wait, or lose their idle connections. Raise the limit to \(Self.recommended) or more "
          + "(LimitNOFILE= of the systemd unit, or ulimit -n where it is started) and restart.", commands: [])
    }
  }
}
