-- Calls the functions of main.lua: a request a line on standard input, an answer a line on standard output.
local MAX_DEPTH = 64
local null = nil
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
local read_value

local function read_string(text, at)
  local parts = {}
  while true do
    local stop = text:find('["\\]', at)
    parts[#parts + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    local kind = text:sub(stop + 1, stop + 1)
    if kind ~= "u" then
      parts[#parts + 1], at = ESCAPES[kind], stop + 2
    else
      local code = tonumber(text:sub(stop + 2, stop + 5), 16)
      at = stop + 6
      if code >= 0xD800 and code < 0xDC00 and text:sub(at, at + 1) == "\\u" then
        code = 0x10000 + ((code - 0xD800) << 10) + tonumber(text:sub(at + 2, at + 5), 16) - 0xDC00
        at = at + 6
      end
      parts[#parts + 1] = utf8.char(code)
    end
  end
end

local function read_items(text, at, close, read)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = read(at)
    local mark = text:sub(at, at)
    at = at + 1
    if mark == close then return at end
  end
end

function read_value(text, at)
  local first = text:sub(at, at)
  if first == '"' then return read_string(text, at + 1) end
  if first == "[" or first == "{" then
    local result, count = {}, 0
    local stop = read_items(text, at + 1, first == "[" and "]" or "}", function(here)
      if first == "[" then
        count = count + 1
        result[count], here = read_value(text, here)
      else
        local key
        key, here = read_string(text, here + 1)
        result[key], here = read_value(text, here + 1)
      end
      return here
    end)
    return result, stop
  end
  if first == "t" then return true, at + 4 end
  if first == "f" then return false, at + 5 end
  if first == "n" then return null, at + 4 end
  local number = text:match("^[%d%.eE+-]+", at)
  return math.tointeger(number) or tonumber(number), at + #number
end

local function quote(text)
  local escaped = text:gsub('[%c"\\\127]', function(c) return string.format("\\u%04x", c:byte()) end)
  return '"' .. escaped .. '"'
end

local function encode(value, depth)
  if depth > MAX_DEPTH then error("the value is too deep") end
  local kind = math.type(value) or type(value)
  if kind == "nil" then return "null" end
  if kind == "boolean" or kind == "integer" then return tostring(value) end
  if kind == "string" then return quote(value) end
  if kind == "float" then
    if value ~= value then return "NaN" end
    if value == math.huge or value == -math.huge then return value > 0 and "Infinity" or "-Infinity" end
    return string.format("%.17g", value)
  end
  if kind ~= "table" then error("a " .. kind .. " is no plain value") end
  local parts, size = {}, 0
  for _ in pairs(value) do size = size + 1 end
  if size == #value then
    for i = 1, size do parts[i] = encode(value[i], depth + 1) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do
    parts[#parts + 1] = quote(tostring(key)) .. ":" .. encode(item, depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function loaded()
  local names = read_value(contents("harness.json"), 1)
  local code = contents("main.lua"):gsub("^#[^\n]*", "")
  local table_text = {}
  for _, name in ipairs(names) do table_text[#table_text + 1] = name .. " = " .. name end
  local tail = "\nreturn {" .. table.concat(table_text, ", ") .. "}"
  local chunk = load(code .. tail, "=main.lua") or assert(load(code, "=main.lua"))
  local result = chunk()
  return type(result) == "table" and result or {}
end

local function find(answers, name)
  local found = answers[name] or _G[name]
  if found then return found end
  local holder = answers.Solution or _G.Solution
  if type(holder) == "table" and holder[name] then
    return function(...) return holder[name](holder, ...) end
  end
  error("attempt to call a nil value (" .. name .. ")", 0)
end

local output = io.stdout
local function answer(id, text)
  output:write("\n\30", id, " ", text, "\n")
  output:flush()
end

local answers = loaded()
answer("0", '{"value":true}')
for line in io.stdin:lines() do
  local request = read_value(line, 1)
  local count = 0
  for key in pairs(request.args) do count = math.max(count, key) end
  local ok, said = pcall(function()
    return encode((find(answers, request["function"])(table.unpack(request.args, 1, count))), 0)
  end)
  if ok then
    answer(request.id, '{"value":' .. said .. "}")
  else
    local message = type(said) == "string" and said or type(said) == "table" and tostring(said.message or said) or tostring(said)
    answer(request.id, '{"raised":{"mro":["error"],"message":' .. quote(message) .. "}}")
  end
end
