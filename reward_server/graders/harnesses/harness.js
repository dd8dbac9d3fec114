// Calls the functions of main.js: a request a line on standard input, an answer a line on standard output.
"use strict";
const fs = require("fs");
const path = require("path");
const { Module } = require("module");

const MAX_DEPTH = 64;
const parse = JSON.parse;
const quote = JSON.stringify;

function load(names) {
  const file = path.resolve("main.js");
  const table = names.map((name) => `${quote(name)}: typeof ${name} === "undefined" ? undefined : ${name}`);
  const more = "typeof Solution === \"undefined\" ? undefined : Solution";
  const module = new Module(file);
  module.filename = file;
  module.paths = [process.cwd()];
  const code = fs.readFileSync(file, "utf8").replace(/^#!.*/, "");
  module._compile(`${code}\n;globalThis.__answers = {Solution: ${more}, ${table.join(", ")}};`, file);
  return { ...globalThis.__answers, exported: module.exports };
}

function find(loaded, name) {
  if (typeof loaded[name] === "function") return loaded[name];
  const { exported, Solution } = loaded;
  if (exported && typeof exported[name] === "function") return exported[name].bind(exported);
  if (typeof exported === "function" && exported.name === name) return exported;
  const Holder = Solution || (exported && exported.Solution);
  if (typeof Holder === "function") {
    const holder = new Holder();
    if (typeof holder[name] === "function") return holder[name].bind(holder);
    if (typeof Holder[name] === "function") return Holder[name].bind(Holder);
  }
  throw new ReferenceError(`${name} is not defined`);
}

function encode(value, depth = 0) {
  if (depth > MAX_DEPTH) throw new Error("the value is too deep");
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "boolean": return value ? "true" : "false";
    case "bigint": return value.toString();
    case "string": return quote(value);
    case "number":
      if (Number.isNaN(value)) return "NaN";
      if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
      return Object.is(value, -0) ? "-0.0" : String(value);
    case "object": break;
    default: throw new TypeError(`a ${typeof value} is no plain value`);
  }
  const inner = (item) => encode(item, depth + 1);
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return inner(value.valueOf());
  if (Array.isArray(value)) return `[${Array.from(value, inner).join(",")}]`;
  if (value instanceof Set || ArrayBuffer.isView(value)) return `[${Array.from(value, inner).join(",")}]`;
  const entries = value instanceof Map ? Array.from(value) : Object.entries(value);
  return `{${entries.map(([key, item]) => `${quote(String(key))}:${inner(item)}`).join(",")}}`;
}

function raised(error) {
  const mro = [];
  for (let kind = Object(error); kind && mro.length < 20; kind = Object.getPrototypeOf(kind)) {
    const name = kind.constructor && kind.constructor.name;
    if (name && name !== mro[mro.length - 1]) mro.push(name);
  }
  return quote({ raised: { mro, message: String(error && error.message !== undefined ? error.message : error) } });
}

let pending = Buffer.alloc(0);
function line() {
  for (;;) {
    const end = pending.indexOf(10);
    if (end >= 0) {
      const text = pending.subarray(0, end).toString("utf8");
      pending = pending.subarray(end + 1);
      return text;
    }
    const chunk = Buffer.alloc(1 << 16);
    const count = fs.readSync(0, chunk, 0, chunk.length, null);
    if (count === 0) return null;
    pending = Buffer.concat([pending, chunk.subarray(0, count)]);
  }
}

function answer(id, text) {
  const data = Buffer.from(`\n\x1e${id} ${text}\n`);
  for (let at = 0; at < data.length; ) at += fs.writeSync(1, data, at);
}

async function main() {
  const loaded = load(parse(fs.readFileSync("harness.json", "utf8")));
  answer(0, '{"value":true}');
  for (let text = line(); text !== null; text = line()) {
    const request = parse(text);
    let said;
    try {
      said = `{"value":${encode(await find(loaded, request.function)(...request.args))}}`;
    } catch (error) {
      said = raised(error);
    }
    answer(request.id, said);
  }
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
