/// A test's setup failed, or a condition did not hold in time.
package struct TestError: Error, CustomStringConvertible {
  package let description: String

  package init(description: String) { self.description = description }
}
