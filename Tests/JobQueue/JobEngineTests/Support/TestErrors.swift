import Jobs

/// An error that another attempt may not meet, with a description that is safe to store.
struct TransientError: Error, CustomStringConvertible {
  var description: String { "the kettle is empty" }
}

/// An error that every attempt would meet.
struct PermanentError: JobError, CustomStringConvertible {
  var isPermanent: Bool { true }
  var description: String { "there is no such business" }
}
