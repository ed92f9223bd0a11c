import ChatCodec
import Foundation

/// How many files and connections this process may have open.
public enum FileLimit {
    /// Raises what the system allows by default to what the service needs, as far as that needs no privileges, and logs
    /// where it is less: then a socket may be refused before the service has as many as its limit says.
    public static func raise(for limits: Limits, log: Log) {
        let allowed = raise(to: limits.files)
        guard allowed < limits.files else { return }
        log("few_files", [("allowed", JSON(allowed)), ("wanted", JSON(limits.files))])
    }

    /// The same for a number; returns what is allowed then.
    @discardableResult
    public static func raise(to wanted: Int) -> Int {
        var limit = rlimit()
        #if canImport(Darwin)
            let kind = RLIMIT_NOFILE
        #else
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        guard unsafe getrlimit(kind, &limit) == 0 else { return 0 }
        guard limit.rlim_cur < rlim_t(clamping: wanted) else { return Int(clamping: limit.rlim_cur) }
        limit.rlim_cur = min(limit.rlim_max, rlim_t(clamping: wanted))
        _ = unsafe setrlimit(kind, &limit)
        guard unsafe getrlimit(kind, &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }
}
