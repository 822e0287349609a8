/// A variable of the program's environment, as `vluma check --env` lists it.
struct EnvironmentVariable: Sendable {
  let name: String
  let meaning: String
  /// What holds where it is not set; nil: it is required.
  let fallback: String?
  /// True: its value is never printed or logged.
  var isSecret = false
}
