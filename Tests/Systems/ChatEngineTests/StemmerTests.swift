import ChatEngine
import Testing

struct SearchTests {
    /// The examples of Porter's paper.
    @Test(arguments: [
        ("caresses", "caress"), ("ponies", "poni"), ("ties", "ti"), ("cats", "cat"), ("feed", "feed"),
        ("agreed", "agre"), ("plastered", "plaster"), ("bled", "bled"), ("motoring", "motor"), ("sing", "sing"),
        ("conflated", "conflat"), ("troubled", "troubl"), ("sized", "size"), ("hopping", "hop"), ("tanned", "tan"),
        ("falling", "fall"), ("hissing", "hiss"), ("fizzed", "fizz"), ("failing", "fail"), ("filing", "file"),
        ("happy", "happi"), ("sky", "sky"), ("relational", "relat"), ("conditional", "condit"), ("valenci", "valenc"),
        ("digitizer", "digit"), ("radicalli", "radic"), ("vietnamization", "vietnam"), ("operator", "oper"),
        ("feudalism", "feudal"), ("decisiveness", "decis"), ("hopefulness", "hope"), ("formaliti", "formal"),
        ("sensibiliti", "sensibl"), ("triplicate", "triplic"), ("formative", "form"), ("electrical", "electr"),
        ("goodness", "good"), ("revival", "reviv"), ("allowance", "allow"), ("inference", "infer"),
        ("airliner", "airlin"), ("adjustable", "adjust"), ("irritant", "irrit"), ("replacement", "replac"),
        ("adoption", "adopt"), ("homologou", "homolog"), ("effective", "effect"), ("probate", "probat"),
        ("rate", "rate"), ("cease", "ceas"), ("controll", "control"), ("roll", "roll"),
    ])
    func `a word is cut to the stem that Porter gives`(word: String, stem: String) {
        #expect(Search.stems(of: word) == [stem])
    }

    @Test func `nothing in a query is syntax, and one without a word finds nothing`() {
        for query in ["", "*", "\"", "--", "( )", "\u{0}"] { #expect(Search(query).score(of: "* ( ) -- a") == 0) }
        for query in ["AND", "NEAR(races", "WOMBAT*"] {
            #expect(Search(query).score(of: "near the wombat and its race") > 0)
        }
    }
}
