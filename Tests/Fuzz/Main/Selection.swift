import FuzzTargets

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// All targets, made once.
let allTargets: [FuzzTarget] = {
    do { return try FuzzTarget.all() } catch { fatalError("the targets cannot be made: \(error)") }
}()

/// The one that the environment names.
let target: FuzzTarget = {
    let name = environment("FUZZ") ?? ""
    guard let target = allTargets.first(where: { $0.name == name }) else { fatalError("there is no target \(name)") }
    return target
}()

/// A variable of the environment, if it is set.
func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// Writes a file, or ends the program.
func write(_ bytes: [UInt8], to path: String) {
    guard let file = unsafe fopen(path, "wb") else { fatalError("cannot write \(path)") }
    unsafe fwrite(bytes, 1, bytes.count, file)
    unsafe fclose(file)
}
