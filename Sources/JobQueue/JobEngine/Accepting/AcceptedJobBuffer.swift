internal import DequeModule
internal import Jobs

/// Accepted jobs that wait to be recorded, in order, within bounds of count and bytes.
struct AcceptedJobBuffer {
  private let jobsMax: Int
  private let bytesMax: Int
  private var jobs = Deque<AcceptedJob>()
  private var bytes = 0
  private var hasRefused = false

  /// What a job takes besides its body, roughly.
  private static let overhead = 512

  init(jobsMax: Int, bytesMax: Int) {
    self.jobsMax = jobsMax
    self.bytesMax = bytesMax
  }

  var count: Int { jobs.count }

  /// False: there is no room.
  mutating func add(_ envelope: JobEnvelope, pool: PoolName) -> Bool {
    let job = AcceptedJob(envelope, pool: pool)
    guard jobs.count < jobsMax, bytes + Self.size(job) <= bytesMax else { return false }
    jobs.append(job)
    bytes += Self.size(job)
    return true
  }

  /// True for the first refusal since the buffer was empty.
  mutating func noteRefusal() -> Bool {
    defer { hasRefused = true }
    return !hasRefused
  }

  func isBatchFull(_ most: (jobs: Int, bytes: Int)) -> Bool { jobs.count >= most.jobs || bytes >= most.bytes }

  /// The oldest jobs, at least one where there is any. They stay until they are removed.
  func next(_ most: (jobs: Int, bytes: Int)) -> [AcceptedJob] {
    var batch: [AcceptedJob] = []
    var room = most.bytes
    for job in jobs.prefix(most.jobs) {
      room -= Self.size(job)
      if room < 0, !batch.isEmpty { break }
      batch.append(job)
    }
    return batch
  }

  /// Removes the oldest jobs.
  mutating func removeNext(_ count: Int) {
    for _ in 0..<min(count, jobs.count) { bytes -= Self.size(jobs.removeFirst()) }
    if jobs.isEmpty { hasRefused = false }
  }

  /// Puts the job into the place of the same run.
  mutating func replace(_ job: AcceptedJob) {
    guard let index = jobs.firstIndex(where: { $0.envelope.jobRun == job.envelope.jobRun }) else { return }
    bytes += Self.size(job) - Self.size(jobs[index])
    jobs[index] = job
  }

  private static func size(_ job: AcceptedJob) -> Int {
    overhead + job.envelope.body.count + (job.reference?.eventIDs.reduce(0) { $0 + $1.utf8.count + 32 } ?? 0)
  }
}
