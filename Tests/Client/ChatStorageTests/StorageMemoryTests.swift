import ChatStorage
import ChatModel
import Testing

@Test func `records in memory replace, remove and come back in the order of their keys`() throws {
    let storage = InMemoryStorage([Record("b", [1]), Record("a", [2])])
    try storage.commit([Record("c", [3]), Record("b", nil), Record("a", [4]), Record("a", [5])])
    #expect(try storage.load() == [Record("a", [5]), Record("c", [3])])
}

@Test func `a storage error says what to do next`() {
    let error = StorageError.system("open", path: "/x/saro", errno: 2)
    #expect(error.description == "open /x/saro: No such file or directory; create the directory above it first")
}
