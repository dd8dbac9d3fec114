// Calls functions of C++: a request a line on standard input, an answer a line on standard output.
#pragma once
#include <bits/stdc++.h>
#include <cxxabi.h>

namespace harness {

struct Reader {
  const std::string &text;
  size_t at = 0;
  char peek() const { return at < text.size() ? text[at] : '\0'; }
  void expect(char c) {
    if (peek() != c) throw std::invalid_argument(std::string("an argument is not of the parameter's type: expected ") + c);
    ++at;
  }
  bool take(const char *word) {
    size_t length = std::strlen(word);
    if (text.compare(at, length, word) != 0) return false;
    at += length;
    return true;
  }
  std::string number() {
    size_t start = at;
    while (at < text.size() && std::strchr("+-.0123456789eE", text[at])) ++at;
    if (start == at) throw std::invalid_argument("a number is expected");
    return text.substr(start, at - start);
  }
};

inline void utf8(std::string &out, unsigned code) {
  if (code < 0x80) out += char(code);
  else if (code < 0x800) out += char(0xC0 | code >> 6), out += char(0x80 | (code & 63));
  else if (code < 0x10000) out += char(0xE0 | code >> 12), out += char(0x80 | (code >> 6 & 63)), out += char(0x80 | (code & 63));
  else out += char(0xF0 | code >> 18), out += char(0x80 | (code >> 12 & 63)), out += char(0x80 | (code >> 6 & 63)), out += char(0x80 | (code & 63));
}

inline std::string read_string(Reader &in) {
  std::string out;
  in.expect('"');
  while (in.peek() != '"') {
    char c = in.text[in.at++];
    if (c != '\\') { out += c; continue; }
    c = in.text[in.at++];
    if (c == 'u') {
      unsigned code = std::stoul(in.text.substr(in.at, 4), nullptr, 16);
      in.at += 4;
      if (code >= 0xD800 && code < 0xDC00 && in.take("\\u")) {
        code = 0x10000 + ((code - 0xD800) << 10) + std::stoul(in.text.substr(in.at, 4), nullptr, 16) - 0xDC00;
        in.at += 4;
      }
      utf8(out, code);
    } else {
      const char *from = "bfnrt", *to = "\b\f\n\r\t", *found = std::strchr(from, c);
      out += found ? to[found - from] : c;
    }
  }
  ++in.at;
  return out;
}

template <class T, class = void> struct Codec;

template <> struct Codec<bool> {
  static bool read(Reader &in) {
    if (in.take("true")) return true;
    if (in.take("false")) return false;
    throw std::invalid_argument("true or false is expected");
  }
  static void write(std::string &out, bool value) { out += value ? "true" : "false"; }
};
template <> struct Codec<char> {
  static char read(Reader &in) {
    std::string text = read_string(in);
    if (text.size() != 1) throw std::invalid_argument("one character is expected");
    return text[0];
  }
  static void write(std::string &out, char value);
};
template <class T> struct Codec<T, std::enable_if_t<std::is_integral_v<T>>> {
  static T read(Reader &in) {
    std::string text = in.number();
    if (text.find_first_of(".eE") != std::string::npos) throw std::invalid_argument("an integer is expected");
    if constexpr (std::is_signed_v<T>) {
      long long value = std::stoll(text);
      if (value < (long long)std::numeric_limits<T>::min() || value > (long long)std::numeric_limits<T>::max()) throw std::out_of_range("integer");
      return T(value);
    } else return T(std::stoull(text));
  }
  static void write(std::string &out, T value) { out += std::to_string(value); }
};
template <class T> struct Codec<T, std::enable_if_t<std::is_floating_point_v<T>>> {
  static T read(Reader &in) { return T(std::stold(in.number())); }
  static void write(std::string &out, T value) {
    if (std::isnan(value)) { out += "NaN"; return; }
    if (std::isinf(value)) { out += value > 0 ? "Infinity" : "-Infinity"; return; }
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.*g", std::is_same_v<T, float> ? 9 : 17, double(value));
    out += buffer;
  }
};
template <> struct Codec<std::string> {
  static std::string read(Reader &in) { return read_string(in); }
  static void write(std::string &out, const std::string &value) {
    out += '"';
    for (unsigned char c : value) {
      if (c == '"' || c == '\\' || c < 32 || c == 127) {
        char buffer[8];
        std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
        out += buffer;
      } else out += char(c);
    }
    out += '"';
  }
};
inline void Codec<char>::write(std::string &out, char value) { Codec<std::string>::write(out, std::string(1, value)); }
template <> struct Codec<const char *> {
  static const char *read(Reader &in) {
    static std::list<std::string> kept;
    return kept.emplace_back(read_string(in)).c_str();
  }
  static void write(std::string &out, const char *value) { Codec<std::string>::write(out, value); }
};
template <class T> struct Codec<std::optional<T>> {
  static std::optional<T> read(Reader &in) { return in.take("null") ? std::nullopt : std::optional<T>(Codec<T>::read(in)); }
  static void write(std::string &out, const std::optional<T> &value) {
    if (value) Codec<T>::write(out, *value);
    else out += "null";
  }
};
template <class C> std::vector<std::decay_t<typename C::value_type>> read_items(Reader &in) {
  std::vector<std::decay_t<typename C::value_type>> items;
  in.expect('[');
  while (in.peek() != ']') {
    items.push_back(Codec<typename C::value_type>::read(in));
    if (in.peek() != ']') in.expect(',');
  }
  ++in.at;
  return items;
}
template <class C> void write_items(std::string &out, const C &items) {
  out += '[';
  bool first = true;
  for (const auto &item : items) {
    if (!std::exchange(first, false)) out += ',';
    Codec<typename C::value_type>::write(out, item);
  }
  out += ']';
}
template <class C> struct Items {
  static C read(Reader &in) { auto items = read_items<C>(in); return C(items.begin(), items.end()); }
  static void write(std::string &out, const C &value) { write_items(out, value); }
};
template <class T> struct Codec<std::vector<T>> : Items<std::vector<T>> {};
template <class T> struct Codec<std::list<T>> : Items<std::list<T>> {};
template <class T> struct Codec<std::deque<T>> : Items<std::deque<T>> {};
template <class T> struct Codec<std::set<T>> : Items<std::set<T>> {};
template <class T> struct Codec<std::multiset<T>> : Items<std::multiset<T>> {};
template <class T> struct Codec<std::unordered_set<T>> : Items<std::unordered_set<T>> {};
template <class T, size_t N> struct Codec<std::array<T, N>> {
  static std::array<T, N> read(Reader &in) {
    auto items = read_items<std::vector<T>>(in);
    if (items.size() != N) throw std::invalid_argument("an array of another length is expected");
    std::array<T, N> result;
    std::copy(items.begin(), items.end(), result.begin());
    return result;
  }
  static void write(std::string &out, const std::array<T, N> &value) { write_items(out, value); }
};
template <class... T> struct Codec<std::tuple<T...>> {
  static std::tuple<T...> read(Reader &in) {
    in.expect('[');
    bool first = true;
    std::tuple<T...> result{(first ? void(first = false) : in.expect(','), Codec<T>::read(in))...};
    in.expect(']');
    return result;
  }
  static void write(std::string &out, const std::tuple<T...> &value) {
    out += '[';
    bool first = true;
    std::apply([&](const auto &...item) { ((first ? void(first = false) : void(out += ','), Codec<std::decay_t<decltype(item)>>::write(out, item)), ...); }, value);
    out += ']';
  }
};
template <class A, class B> struct Codec<std::pair<A, B>> {
  static std::pair<A, B> read(Reader &in) {
    auto [a, b] = Codec<std::tuple<A, B>>::read(in);
    return {a, b};
  }
  static void write(std::string &out, const std::pair<A, B> &value) { Codec<std::tuple<A, B>>::write(out, {value.first, value.second}); }
};
template <class M> struct Map {
  static M read(Reader &in) {
    M result;
    in.expect('{');
    while (in.peek() != '}') {
      std::string key = read_string(in);
      in.expect(':');
      using Key = typename M::key_type;
      if constexpr (std::is_same_v<Key, std::string>) result[key] = Codec<typename M::mapped_type>::read(in);
      else {
        std::string quoted = std::is_same_v<Key, char> ? "\"" + key + "\"" : key;
        Reader inner{quoted};
        result[Codec<Key>::read(inner)] = Codec<typename M::mapped_type>::read(in);
      }
      if (in.peek() != '}') in.expect(',');
    }
    ++in.at;
    return result;
  }
  static void write(std::string &out, const M &value) {
    out += '{';
    bool first = true;
    for (const auto &[key, item] : value) {
      if (!std::exchange(first, false)) out += ',';
      std::string name;
      Codec<typename M::key_type>::write(name, key);
      if (name.empty() || name[0] != '"') name = '"' + name + '"';
      out += name + ':';
      Codec<typename M::mapped_type>::write(out, item);
    }
    out += '}';
  }
};
template <class K, class V> struct Codec<std::map<K, V>> : Map<std::map<K, V>> {};
template <class K, class V> struct Codec<std::unordered_map<K, V>> : Map<std::unordered_map<K, V>> {};

using Function = std::function<std::string(Reader &)>;

template <class R, class... A, class F> Function wrap(F function) {
  return [function](Reader &in) {
    in.expect('[');
    bool first = true;
    // Braces fix the order in which arguments are read.
    std::tuple<std::decay_t<A>...> arguments{(first ? void(first = false) : in.expect(','), Codec<std::decay_t<A>>::read(in))...};
    in.expect(']');
    std::string out = "{\"value\":";
    auto call = [&](auto &...argument) -> R { return function(static_cast<std::add_lvalue_reference_t<std::remove_reference_t<A>>>(argument)...); };
    if constexpr (std::is_void_v<R>) {
      std::apply(call, arguments);
      out += "null";
    } else Codec<std::decay_t<R>>::write(out, std::apply(call, arguments));
    return out + "}";
  };
}
template <class R, class... A> Function callable(R (*function)(A...)) { return wrap<R, A...>(function); }
template <class C, class R, class... A> Function callable(R (C::*function)(A...)) {
  return wrap<R, A...>([function](auto &...argument) -> R { C object; return (object.*function)(argument...); });
}
template <class C, class R, class... A> Function callable(R (C::*function)(A...) const) {
  return wrap<R, A...>([function](auto &...argument) -> R { C object; return (object.*function)(argument...); });
}

inline std::string raised(const std::vector<std::string> &kinds, const std::string &message) {
  std::string out = "{\"raised\":{\"mro\":";
  Codec<std::vector<std::string>>::write(out, kinds);
  out += ",\"message\":";
  Codec<std::string>::write(out, message);
  return out + "}}";
}

inline std::string name_of(const std::type_info &kind) {
  int status = 0;
  char *text = abi::__cxa_demangle(kind.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : kind.name();
  std::free(text);
  return name.rfind("std::", 0) == 0 ? name.substr(5) : name;
}

inline std::string reply(const Function &function, Reader &in) {
  try {
    return function(in);
  } catch (const std::exception &error) {
    std::vector<std::string> kinds{name_of(typeid(error))};
    if (dynamic_cast<const std::logic_error *>(&error)) kinds.push_back("logic_error");
    if (dynamic_cast<const std::runtime_error *>(&error)) kinds.push_back("runtime_error");
    kinds.push_back("exception");
    return raised(kinds, error.what());
  } catch (const char *text) {
    return raised({"const char*"}, text);
  } catch (const std::string &text) {
    return raised({"string"}, text);
  } catch (...) {
    return raised({"unknown"}, "");
  }
}

inline int serve(const std::map<std::string, Function> &functions) {
  auto answer = [](const std::string &id, const std::string &text) {
    std::cout.flush();
    std::fflush(stdout);
    std::string line = "\n\x1e" + id + " " + text + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
  };
  answer("0", "{\"value\":true}");
  std::string line;
  while (std::getline(std::cin, line)) {
    Reader in{line};
    in.take("{\"id\":");
    std::string id = in.number();
    in.take(",\"function\":");
    std::string name = read_string(in);
    in.take(",\"args\":");
    answer(id, reply(functions.at(name), in));
  }
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace harness
