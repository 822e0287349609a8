internal import JobConfiguration

/// Checks of this machine's settings and of the servers.
extension CheckRunner {
  func settings() -> CheckResult {
    let settings = snapshot.settings
    var findings = settings.variables.map { message in
      Finding(.settings, .problem, message, advice: "Correct it where this program is started.", "vluma check --env")
    }
    if let first = settings.fileProblems.first {
      let others = settings.fileProblems.count - 1
      let message = others == 0 ? first : "\(first) (and \(counted(others, "other problem")))"
      findings.append(Finding(.settings, .problem, message, advice: "Fix \(settings.file).", "vluma check"))
    }
    return CheckResult(
      findings, note: "\(settings.file): \(counted(known.count, "pool")), \(counted(routes.count, "kind")) of jobs")
  }

  func rabbitMQ() -> CheckResult {
    switch snapshot.broker {
    case .skipped(let why): return CheckResult(unknownReason: why)
    case .failed(let why):
      let finding = Finding(
        .rabbitMQ, .problem, why, advice: "Is VLUMA_RABBITMQ_URL right, and the server running?",
        "rabbitmqctl cluster_status")
      return CheckResult([finding], note: "")
    case .answered(let broker):
      var findings = (broker.plan?.different ?? []).map(finding)
      if let missing = broker.plan?.missing, !missing.isEmpty {
        findings.append(
          Finding(
            .rabbitMQ, .problem, "the broker lacks \(listed(missing))",
            advice: "Create what queues.yaml needs; what exists stays as it is.", "vluma topology apply"))
      }
      let isCompared = broker.plan != nil
      return CheckResult(findings, note: "\(broker.server) " + (isCompared ? "has what queues.yaml needs" : "answers"))
    }
  }

  private func finding(_ difference: TopologyPlan.Difference) -> Finding {
    let message = "\(difference.name) is not as queues.yaml needs it: \(difference.detail)"
    guard difference.name.hasPrefix("queue ") else {
      return Finding(
        .rabbitMQ, .problem, message,
        advice: "Stop the processes that publish to it, delete it in the broker, and create it again.",
        "vluma topology apply")
    }
    let queue = shellQuoted(difference.name.dropFirst("queue ".count))
    return Finding(
      .rabbitMQ, .problem, message,
      advice: "Give the pool another name; or let its workers empty it, delete it, and create it again.",
      "rabbitmqctl delete_queue \(queue) --if-empty", "vluma topology apply")
  }

  func postgreSQL() -> CheckResult {
    switch snapshot.store {
    case .skipped(let why): return CheckResult(unknownReason: why)
    case .failed(let why):
      let finding = Finding(
        .postgreSQL, .problem, why, advice: "Is VLUMA_POSTGRES_URL right, and the server running?",
        #"psql "$VLUMA_POSTGRES_URL" -c "SELECT 1""#)
      return CheckResult([finding], note: "")
    case .answered(let store):
      var findings: [Finding] = []
      if let obstacle = store.obstacle {
        findings.append(
          Finding(.postgreSQL, .problem, obstacle, advice: "Use the release that migrated this database."))
      }
      if !store.pending.isEmpty {
        findings.append(
          Finding(
            .postgreSQL, .problem, "the database lacks \(listed(store.pending))",
            advice: "Bring it up to date.", "vluma migrate"))
      }
      if !store.unknown.isEmpty {
        findings.append(
          Finding(
            .postgreSQL, .warning, "the database has \(listed(store.unknown)), which this program does not know",
            advice: "This program is older than the database: update this machine to the newest release."))
      }
      return CheckResult(findings, note: "\(store.server) is up to date")
    }
  }

  func redis() -> CheckResult {
    switch snapshot.redis {
    case .skipped(let why): return CheckResult(unknownReason: why)
    case .failed(let why):
      let finding = Finding(
        .redis, .warning, why,
        advice: "Is VLUMA_REDIS_URL right, and the server running? Meanwhile each node limits rates by itself, "
          + "and repeated requests are detected later.",
        #"redis-cli -u "$VLUMA_REDIS_URL" PING"#)
      return CheckResult([finding], note: "")
    case .answered(let server): return CheckResult(note: server.map { "\($0) answers" } ?? "not used")
    }
  }
}
