/// A variable of the program's environment, as `vluma check --env` lists it.
struct EnvironmentVariable: Sendable {
  let name: String
  let meaning: String
  /// The value that is used where the variable is not set; nil: the variable is required.
  let fallback: String?
  /// True: its value is never printed or logged.
  var isSecret = false
}
