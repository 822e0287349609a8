/// What is set on this machine, and whether the servers answer.
extension CheckRunner {
  func settings() -> CheckResult {
    let settings = snapshot.settings
    var findings = settings.variables.map { message in
      Finding(.settings, .problem, message, advice: "Set it right where this program is started.", "vluma check --env")
    }
    if let first = settings.fileProblems.first {
      let others = settings.fileProblems.count - 1
      let message = others == 0 ? first : "\(first) (and \(counted(others, "other problem")))"
      findings.append(Finding(.settings, .problem, message, advice: "Mend \(settings.file).", "vluma check"))
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
      var findings = broker.different.map(finding)
      if let missing = broker.missing, !missing.isEmpty {
        findings.append(
          Finding(
            .rabbitMQ, .problem, "the broker lacks \(listed(missing))",
            advice: "Make what queues.yaml needs; what is there stays as it is.", "vluma topology apply"))
      }
      let isCompared = broker.missing != nil
      return CheckResult(findings, note: "\(broker.server) " + (isCompared ? "has what queues.yaml needs" : "answers"))
    }
  }

  private func finding(_ difference: SystemSnapshot.Broker.Difference) -> Finding {
    let message = "\(difference.name) is not as queues.yaml needs it: \(difference.detail)"
    guard difference.name.hasPrefix("queue ") else {
      return Finding(
        .rabbitMQ, .problem, message,
        advice: "Stop whoever publishes there, delete it in the broker, and make it anew.", "vluma topology apply")
    }
    let queue = shellQuoted(difference.name.dropFirst("queue ".count))
    return Finding(
      .rabbitMQ, .problem, message,
      advice: "Give the pool another name; or let what waits there be done, delete it, and make it anew.",
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
          Finding(.postgreSQL, .problem, obstacle, advice: "Use the release that this database was migrated by."))
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
            advice: "This program is older than the database: bring this machine up to the newest release."))
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
        advice: "Is VLUMA_REDIS_URL right, and the server running? Meanwhile each node keeps rate limits by itself, "
          + "and repeats of requests are found out later.",
        #"redis-cli -u "$VLUMA_REDIS_URL" PING"#)
      return CheckResult([finding], note: "")
    case .answered(let server): return CheckResult(note: server.map { "\($0) answers" } ?? "not used")
    }
  }
}
