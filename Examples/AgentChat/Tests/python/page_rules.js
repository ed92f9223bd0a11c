// The page's protocol.js against the vectors of tools and of folding (Specs/agent-chat.md, section 10), without a browser.
// usage: node page_rules.js PROTOCOL_JS FILE…

const { readFileSync } = require("fs");
const vm = require("vm");
// What browsers have; Node 20 has it on demand.
require("v8").setFlagsFromString("--harmony_json_parse_with_source");

const source = readFileSync(process.argv[2], "utf8").replace('"use strict";', "");
const page = vm.createContext({});
vm.runInContext(source, page);
const parse = text => vm.runInContext("text => typeof exact === 'function' ? JSON.parse(text, exact) : JSON.parse(text)", page)(text);
const run = vm.runInContext(`(parts, delta, consolidated) => {
  try { fold(parts, checkPart(delta), consolidated); return null; }
  catch (error) { if (!(error instanceof Violation)) throw error; return error.message.slice(0, 5); }
}`, page);

/** The parts of a case of tools: as they are, or by name of a template. */
function steps(file, one) {
  if (one.parts) return one.parts;
  const templates = file.templates[one.form] ?? file.templates;
  return one.path.split(/[ >,]+/).map(name => templates[name]);
}

let [passed, failed] = [0, 0];
for (const path of process.argv.slice(3)) {
  const file = parse(readFileSync(path, "utf8"));
  for (const one of file.cases) {
    const parts = [];
    let refused = null;
    const deltas = file.kind === "tool" ? steps(file, one) : one.deltas;
    for (const [index, delta] of deltas.entries()) {
      const copy = parse(JSON.stringify(delta.part ?? delta));
      const rule = run(parts, copy, delta.consolidated === true);
      if (rule) { refused = { at: index, rule }; break; }
    }
    const wanted = one.expect === "valid" ? null : one.at;
    if ((refused?.at ?? null) === (wanted ?? null)) { passed += 1; continue; }
    failed += 1;
    console.log(`FAILED ${one.id}: ${JSON.stringify(refused)}, wanted ${one.expect} at ${one.at} by ${JSON.stringify(one.rule)} ${one.comment ?? ""}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
