/// Why a program could not be driven.
package struct DriverError: Error, CustomStringConvertible {
    /// One line for people.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
