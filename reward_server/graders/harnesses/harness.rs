// Calls functions of Rust: a request a line on standard input, an answer a line on standard output.
mod harness {
    use std::collections::*;
    use std::io::{BufRead, Write};

    pub type Outcome<T> = Result<T, String>;

    pub struct Reader<'a> {
        text: &'a [u8],
        at: usize,
    }

    impl<'a> Reader<'a> {
        pub fn new(text: &'a str) -> Self {
            Reader { text: text.as_bytes(), at: 0 }
        }
        pub fn peek(&self) -> u8 {
            *self.text.get(self.at).unwrap_or(&0)
        }
        pub fn expect(&mut self, c: u8) -> Outcome<()> {
            if self.peek() != c {
                return Err(format!("an argument is not of the parameter's type: expected {}", c as char));
            }
            self.at += 1;
            Ok(())
        }
        pub fn take(&mut self, word: &str) -> bool {
            let found = self.text[self.at..].starts_with(word.as_bytes());
            if found {
                self.at += word.len();
            }
            found
        }
        pub fn number(&mut self) -> &'a str {
            let start = self.at;
            while b"+-.0123456789eE".contains(&self.peek()) {
                self.at += 1;
            }
            std::str::from_utf8(&self.text[start..self.at]).unwrap_or("")
        }
        fn unit(&mut self) -> u32 {
            let digits = std::str::from_utf8(&self.text[self.at..self.at + 4]).unwrap_or("0");
            self.at += 4;
            u32::from_str_radix(digits, 16).unwrap_or(0)
        }
        pub fn string(&mut self) -> Outcome<String> {
            self.expect(b'"')?;
            let mut out: Vec<u8> = Vec::new();
            loop {
                let c = self.peek();
                self.at += 1;
                match c {
                    b'"' => return String::from_utf8(out).map_err(|error| error.to_string()),
                    b'\\' => {
                        let c = self.peek();
                        self.at += 1;
                        let letter = match c {
                            b'b' => '\u{8}',
                            b'f' => '\u{c}',
                            b'n' => '\n',
                            b'r' => '\r',
                            b't' => '\t',
                            b'u' => {
                                let mut code = self.unit();
                                if (0xD800..0xDC00).contains(&code) && self.take("\\u") {
                                    code = 0x10000 + ((code - 0xD800) << 10) + (self.unit() - 0xDC00);
                                }
                                char::from_u32(code).unwrap_or('\u{fffd}')
                            }
                            other => other as char,
                        };
                        out.extend(letter.to_string().bytes());
                    }
                    other => out.push(other),
                }
            }
        }
    }

    pub trait Value: Sized {
        fn read(input: &mut Reader) -> Outcome<Self>;
        fn write(&self, out: &mut String);
        fn key(text: &str) -> Outcome<Self> {
            Self::read(&mut Reader::new(text))
        }
    }

    macro_rules! numbers {
        ($($kind:ty)*) => {$(impl Value for $kind {
            fn read(input: &mut Reader) -> Outcome<Self> {
                let text = input.number();
                text.parse().map_err(|_| format!("{} is no {}", text, stringify!($kind)))
            }
            fn write(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        })*};
    }
    numbers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

    macro_rules! floats {
        ($($kind:ty)*) => {$(impl Value for $kind {
            fn read(input: &mut Reader) -> Outcome<Self> {
                let text = input.number();
                text.parse().map_err(|_| format!("{} is no number", text))
            }
            fn write(&self, out: &mut String) {
                match *self {
                    x if x.is_nan() => out.push_str("NaN"),
                    x if x.is_infinite() => out.push_str(if x > 0.0 { "Infinity" } else { "-Infinity" }),
                    x => out.push_str(&format!("{:?}", x)),
                }
            }
        })*};
    }
    floats!(f32 f64);

    impl Value for bool {
        fn read(input: &mut Reader) -> Outcome<Self> {
            if input.take("true") {
                return Ok(true);
            }
            if input.take("false") { Ok(false) } else { Err("true or false is expected".into()) }
        }
        fn write(&self, out: &mut String) {
            out.push_str(if *self { "true" } else { "false" });
        }
    }
    impl Value for () {
        fn read(_: &mut Reader) -> Outcome<Self> {
            Ok(())
        }
        fn write(&self, out: &mut String) {
            out.push_str("null");
        }
    }
    impl Value for String {
        fn read(input: &mut Reader) -> Outcome<Self> {
            input.string()
        }
        fn write(&self, out: &mut String) {
            quote(self, out);
        }
        fn key(text: &str) -> Outcome<Self> {
            Ok(text.to_string())
        }
    }
    impl Value for &'static str {
        fn read(input: &mut Reader) -> Outcome<Self> {
            Ok(Box::leak(input.string()?.into_boxed_str()))
        }
        fn write(&self, out: &mut String) {
            quote(self, out);
        }
    }
    impl Value for char {
        fn read(input: &mut Reader) -> Outcome<Self> {
            Self::key(&input.string()?)
        }
        fn write(&self, out: &mut String) {
            quote(&self.to_string(), out);
        }
        fn key(text: &str) -> Outcome<Self> {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Ok(letter),
                _ => Err("one character is expected".into()),
            }
        }
    }
    impl<T: Value> Value for Option<T> {
        fn read(input: &mut Reader) -> Outcome<Self> {
            if input.take("null") { Ok(None) } else { T::read(input).map(Some) }
        }
        fn write(&self, out: &mut String) {
            match self {
                Some(value) => value.write(out),
                None => out.push_str("null"),
            }
        }
    }
    impl<T: Value> Value for Box<T> {
        fn read(input: &mut Reader) -> Outcome<Self> {
            T::read(input).map(Box::new)
        }
        fn write(&self, out: &mut String) {
            (**self).write(out)
        }
    }

    fn quote(text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            if c == '"' || c == '\\' || (c as u32) < 32 || c as u32 == 127 {
                out.push_str(&format!("\\u{:04x}", c as u32));
            } else {
                out.push(c);
            }
        }
        out.push('"');
    }

    fn read_items<T: Value>(input: &mut Reader) -> Outcome<Vec<T>> {
        let mut items = Vec::new();
        input.expect(b'[')?;
        while input.peek() != b']' {
            items.push(T::read(input)?);
            if input.peek() != b']' {
                input.expect(b',')?;
            }
        }
        input.expect(b']')?;
        Ok(items)
    }
    fn write_items<'a, T: Value + 'a>(items: impl Iterator<Item = &'a T>, out: &mut String) {
        out.push('[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }
    macro_rules! sequences {
        ($($kind:ident [$($bound:tt)*])*) => {$(impl<T: Value $($bound)*> Value for $kind<T> {
            fn read(input: &mut Reader) -> Outcome<Self> {
                Ok(read_items::<T>(input)?.into_iter().collect())
            }
            fn write(&self, out: &mut String) {
                write_items(self.iter(), out);
            }
        })*};
    }
    sequences!(Vec [] VecDeque [] LinkedList [] HashSet [+ Eq + std::hash::Hash] BTreeSet [+ Ord]);

    impl<T: Value> Value for &'static [T] {
        fn read(input: &mut Reader) -> Outcome<Self> {
            Ok(Box::leak(read_items::<T>(input)?.into_boxed_slice()))
        }
        fn write(&self, out: &mut String) {
            write_items(self.iter(), out);
        }
    }
    macro_rules! references {
        ($($kind:ty)*) => {$(impl<T: Value> Value for $kind {
            fn read(input: &mut Reader) -> Outcome<Self> {
                Ok(Box::leak(Box::new(T::read(input)?)))
            }
            fn write(&self, out: &mut String) {
                (**self).write(out);
            }
        })*};
    }
    references!(&'static T &'static mut T);

    macro_rules! maps {
        ($($kind:ident [$($bound:tt)*])*) => {$(impl<K: Value $($bound)*, V: Value> Value for $kind<K, V> {
            fn read(input: &mut Reader) -> Outcome<Self> {
                let mut result = $kind::new();
                input.expect(b'{')?;
                while input.peek() != b'}' {
                    let key = K::key(&input.string()?)?;
                    input.expect(b':')?;
                    result.insert(key, V::read(input)?);
                    if input.peek() != b'}' {
                        input.expect(b',')?;
                    }
                }
                input.expect(b'}')?;
                Ok(result)
            }
            fn write(&self, out: &mut String) {
                out.push('{');
                for (i, (key, value)) in self.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    let mut name = String::new();
                    key.write(&mut name);
                    if !name.starts_with('"') {
                        name = format!("\"{}\"", name);
                    }
                    out.push_str(&name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        })*};
    }
    maps!(HashMap [+ Eq + std::hash::Hash] BTreeMap [+ Ord]);

    macro_rules! tuples {
        ($($name:ident)*) => {
            impl<$($name: Value),*> Value for ($($name,)*) {
                #[allow(unused_assignments)]
                fn read(input: &mut Reader) -> Outcome<Self> {
                    input.expect(b'[')?;
                    let mut first = true;
                    let result = ($({
                        if !first { input.expect(b',')?; }
                        first = false;
                        $name::read(input)?
                    },)*);
                    input.expect(b']')?;
                    Ok(result)
                }
                #[allow(non_snake_case, unused_assignments)]
                fn write(&self, out: &mut String) {
                    let ($($name,)*) = self;
                    let mut gap = "[";
                    $(out.push_str(gap); gap = ","; $name.write(out);)*
                    out.push(']');
                }
            }
        };
    }
    tuples!(A B);
    tuples!(A B C);
    tuples!(A B C D);
    tuples!(A B C D E);

    pub trait Returned {
        fn finish(self) -> Outcome<String>;
    }
    impl<T: Value> Returned for T {
        fn finish(self) -> Outcome<String> {
            let mut out = String::new();
            self.write(&mut out);
            Ok(out)
        }
    }
    impl<T: Value, E: std::fmt::Debug> Returned for Result<T, E> {
        fn finish(self) -> Outcome<String> {
            self.map_err(|error| format!("{:?}", error)).and_then(Returned::finish)
        }
    }

    pub trait Callable<Arguments> {
        fn invoke(&self, input: &mut Reader) -> Outcome<String>;
    }
    macro_rules! callables {
        ($($name:ident)*) => {
            impl<Function, Result: Returned, $($name: Value),*> Callable<($($name,)*)> for Function
            where
                Function: Fn($($name),*) -> Result,
            {
                #[allow(non_snake_case, unused_mut, unused_variables, unused_assignments)]
                fn invoke(&self, input: &mut Reader) -> Outcome<String> {
                    input.expect(b'[')?;
                    let mut first = true;
                    $(
                        if !first { input.expect(b',')?; }
                        first = false;
                        let $name = $name::read(input)?;
                    )*
                    input.expect(b']')?;
                    self($($name),*).finish()
                }
            }
        };
    }
    callables!();
    callables!(A);
    callables!(A B);
    callables!(A B C);
    callables!(A B C D);
    callables!(A B C D E);
    callables!(A B C D E F);

    pub fn answer(id: &str, text: &str) {
        let mut output = std::io::stdout().lock();
        let _ = write!(output, "\n\u{1e}{} {}\n", id, text);
        let _ = output.flush();
    }

    pub fn raised(kind: &str, message: &str) -> String {
        let mut out = format!("{{\"raised\":{{\"mro\":[\"{}\"],\"message\":", kind);
        quote(message, &mut out);
        out + "}}"
    }

    pub fn serve(call: impl Fn(&str, &mut Reader) -> Outcome<String> + std::panic::RefUnwindSafe) {
        answer("0", "{\"value\":true}");
        for line in std::io::stdin().lock().lines() {
            let line = line.unwrap_or_default();
            let mut input = Reader::new(&line);
            input.take("{\"id\":");
            let id = input.number().to_string();
            input.take(",\"function\":");
            let name = input.string().unwrap_or_default();
            input.take(",\"args\":");
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&name, &mut input)));
            answer(&id, &match outcome {
                Ok(Ok(value)) => format!("{{\"value\":{}}}", value),
                Ok(Err(message)) => raised("Err", &message),
                Err(problem) => {
                    let text = problem.downcast_ref::<String>().cloned();
                    raised("panic", &text.or(problem.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default())
                }
            });
        }
    }
}
