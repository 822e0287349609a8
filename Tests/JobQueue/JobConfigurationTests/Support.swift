import JobConfiguration
import Jobs

/// Workers that take one job at a time.
func workers(_ kinds: JobKind...) -> [KnownWorker] { kinds.map { KnownWorker(kind: $0, takesBatches: false) } }

/// Workers that take batches.
func batchWorkers(_ kinds: JobKind...) -> [KnownWorker] { kinds.map { KnownWorker(kind: $0, takesBatches: true) } }

/// A file with the dead letters' pool in line 4 and one more in line 5, whose own lines begin with line 6, in column 5.
func document(pool: String = "mail", tiers: String = "[1s, 5s]", _ lines: String...) -> String {
  """
  version: 1
  retry_tiers: \(tiers)
  pools:
    dead.letters: { jobs: [], workers: { min: 1, start: 1, max: 4 } }
    \(pool):

  """ + lines.map { "    \($0)\n" }.joined()
}

/// A file with one pool for `mail.send` that says one thing more, in line 8 from column 5.
func mailDocument(_ line: String = "") -> String {
  document("jobs: [mail.send]", "workers: { min: 1, start: 2, max: 4 }", line)
}

/// What is wrong with a file, each problem with its place.
func problems(in yaml: String, _ workers: [KnownWorker] = batchWorkers("mail.send")) -> [String] {
  do {
    _ = try JobConfiguration(yaml: yaml, workers: workers)
    return []
  } catch {
    return error.problems.map(\.description)
  }
}
