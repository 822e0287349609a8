/// What is set on this machine, and whether the servers answer.
extension Judge {
  func settings() -> Judgement {
    let settings = examination.settings
    var findings = settings.variables.map { sentence in
      Finding(.settings, .problem, sentence, advice: "Set it right where this program is started.", "vluma check --env")
    }
    if let first = settings.fileProblems.first {
      let others = settings.fileProblems.count - 1
      let sentence = others == 0 ? first : "\(first) (and \(counted(others, "other problem")))"
      findings.append(Finding(.settings, .problem, sentence, advice: "Mend \(settings.file).", "vluma check"))
    }
    return Judgement(
      findings, note: "\(settings.file): \(counted(known.count, "pool")), \(counted(routes.count, "kind")) of jobs")
  }

  func rabbitMQ() -> Judgement {
    switch examination.broker {
    case .skipped(let why): return Judgement(blindness: why)
    case .failed(let why):
      let finding = Finding(
        .rabbitMQ, .problem, why, advice: "Is VLUMA_RABBITMQ_URL right, and the server running?",
        "rabbitmqctl cluster_status")
      return Judgement([finding], note: "")
    case .seen(let broker):
      var findings = broker.different.map(finding)
      if let missing = broker.missing, !missing.isEmpty {
        findings.append(
          Finding(
            .rabbitMQ, .problem, "the broker lacks \(listed(missing))",
            advice: "Make what queues.yaml needs; what is there stays as it is.", "vluma topology apply"))
      }
      let isCompared = broker.missing != nil
      return Judgement(findings, note: "\(broker.server) " + (isCompared ? "has what queues.yaml needs" : "answers"))
    }
  }

  private func finding(_ difference: Examination.Broker.Difference) -> Finding {
    let sentence = "\(difference.name) is not as queues.yaml needs it: \(difference.detail)"
    guard difference.name.hasPrefix("queue ") else {
      return Finding(
        .rabbitMQ, .problem, sentence,
        advice: "Stop whoever publishes there, delete it in the broker, and make it anew.", "vluma topology apply")
    }
    let queue = word(difference.name.dropFirst("queue ".count))
    return Finding(
      .rabbitMQ, .problem, sentence,
      advice: "Give the pool another name; or let what waits there be done, delete it, and make it anew.",
      "rabbitmqctl delete_queue \(queue) --if-empty", "vluma topology apply")
  }

  func postgreSQL() -> Judgement {
    switch examination.ledger {
    case .skipped(let why): return Judgement(blindness: why)
    case .failed(let why):
      let finding = Finding(
        .postgreSQL, .problem, why, advice: "Is VLUMA_POSTGRES_URL right, and the server running?",
        #"psql "$VLUMA_POSTGRES_URL" -c "SELECT 1""#)
      return Judgement([finding], note: "")
    case .seen(let ledger):
      var findings: [Finding] = []
      if let obstacle = ledger.obstacle {
        findings.append(
          Finding(.postgreSQL, .problem, obstacle, advice: "Use the release that this database was migrated by."))
      }
      if !ledger.pending.isEmpty {
        findings.append(
          Finding(
            .postgreSQL, .problem, "the database lacks \(listed(ledger.pending))",
            advice: "Bring it up to date.", "vluma migrate"))
      }
      if !ledger.unknown.isEmpty {
        findings.append(
          Finding(
            .postgreSQL, .warning, "the database has \(listed(ledger.unknown)), which this program does not know",
            advice: "This program is older than the database: bring this machine up to the newest release."))
      }
      return Judgement(findings, note: "\(ledger.server) is up to date")
    }
  }

  func redis() -> Judgement {
    switch examination.redis {
    case .skipped(let why): return Judgement(blindness: why)
    case .failed(let why):
      let finding = Finding(
        .redis, .warning, why,
        advice: "Is VLUMA_REDIS_URL right, and the server running? Meanwhile each node keeps rate limits by itself, "
          + "and repeats of requests are found out later.",
        #"redis-cli -u "$VLUMA_REDIS_URL" PING"#)
      return Judgement([finding], note: "")
    case .seen(let server): return Judgement(note: server.map { "\($0) answers" } ?? "not used")
    }
  }
}
