/// The bounds of the directory, each with its reason.
public enum DirectoryLimits {
    /// The longest name in characters: what people type.
    public static let name = 64
    /// The largest signed entry in bytes: below every service's limit here, and room for 32 bundles of a kilobyte.
    public static let entry = 32_768
    /// The most bundles of one entry: single-use bundles for a day or two between publications.
    public static let bundles = 32
    /// The longest scheme name in bytes; the longest in use has 12.
    public static let scheme = 64
    /// The most publishers under one name in one search; those who came first stay.
    public static let publishers = 64
    /// How many publishers' newest sequences are remembered; the oldest is forgotten for a new one.
    public static let remembered = 1_024
    /// The most entries, and their bytes, that a search holds before it looks at them.
    static let waiting = (entries: 256, bytes: 1 << 20)
}
