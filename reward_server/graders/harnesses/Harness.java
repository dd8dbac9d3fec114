// Calls the methods of the answer's classes: a request a line on standard input, an answer a line on standard output.
import java.io.*;
import java.lang.reflect.*;
import java.math.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

public final class Harness {
    private static final int MAX_DEPTH = 64;
    private final String text;
    private int at;

    private Harness(String text) {
        this.text = text;
    }

    private Object read() {
        char first = text.charAt(at);
        if (first == '"') return string();
        if (first == '[') {
            List<Object> items = new ArrayList<>();
            at++;
            while (text.charAt(at) != ']') {
                items.add(read());
                if (text.charAt(at) == ',') at++;
            }
            at++;
            return items;
        }
        if (first == '{') {
            Map<String, Object> items = new LinkedHashMap<>();
            at++;
            while (text.charAt(at) != '}') {
                String key = string();
                at++;
                items.put(key, read());
                if (text.charAt(at) == ',') at++;
            }
            at++;
            return items;
        }
        int start = at;
        while (at < text.length() && ",]}".indexOf(text.charAt(at)) < 0) at++;
        String word = text.substring(start, at);
        if (word.equals("null")) return null;
        if (word.equals("true") || word.equals("false")) return word.equals("true");
        return new BigDecimal(word);
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        for (at++; text.charAt(at) != '"'; at++) {
            char c = text.charAt(at);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            c = text.charAt(++at);
            int plain = "bfnrt".indexOf(c);
            if (c == 'u') {
                out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                at += 4;
            } else out.append(plain < 0 ? c : "\b\f\n\r\t".charAt(plain));
        }
        at++;
        return out.toString();
    }

    private static boolean fits(Object value, Type type) {
        try {
            convert(value, type);
            return true;
        } catch (RuntimeException error) {
            return false;
        }
    }

    private static Object convert(Object value, Type type) {
        if (type instanceof ParameterizedType) return collection(value, (ParameterizedType) type);
        if (!(type instanceof Class)) return natural(value);
        Class<?> kind = (Class<?>) type;
        if (kind == Optional.class) return Optional.ofNullable(natural(value));
        if (value == null) {
            if (kind.isPrimitive()) throw new IllegalArgumentException("null for " + kind);
            return null;
        }
        if (kind.isArray()) {
            List<?> items = (List<?>) value;
            Object array = Array.newInstance(kind.getComponentType(), items.size());
            for (int i = 0; i < items.size(); i++) Array.set(array, i, convert(items.get(i), kind.getComponentType()));
            return array;
        }
        if (kind == String.class || kind == CharSequence.class) return (String) value;
        if (kind == char.class || kind == Character.class) {
            if (((String) value).length() != 1) throw new IllegalArgumentException("one character is expected");
            return ((String) value).charAt(0);
        }
        if (kind == boolean.class || kind == Boolean.class) return (Boolean) value;
        if (value instanceof BigDecimal) {
            BigDecimal number = (BigDecimal) value;
            if (kind == int.class || kind == Integer.class) return number.intValueExact();
            if (kind == long.class || kind == Long.class) return number.longValueExact();
            if (kind == double.class || kind == Double.class) return number.doubleValue();
            if (kind == float.class || kind == Float.class) return number.floatValue();
            if (kind == short.class || kind == Short.class) return number.shortValueExact();
            if (kind == byte.class || kind == Byte.class) return number.byteValueExact();
            if (kind == BigInteger.class) return number.toBigIntegerExact();
            if (kind == BigDecimal.class) return number;
        }
        Object plain = natural(value);
        if (kind.isInstance(plain)) return plain;
        if (plain instanceof Collection) return filled((Collection<?>) plain, kind);
        throw new IllegalArgumentException("a " + kind.getSimpleName() + " cannot be made of " + plain);
    }

    private static Object collection(Object value, ParameterizedType type) {
        Class<?> kind = (Class<?>) type.getRawType();
        Type[] inner = type.getActualTypeArguments();
        if (kind == Optional.class) return Optional.ofNullable(value == null ? null : convert(value, inner[0]));
        if (value == null) return null;
        if (Map.class.isAssignableFrom(kind)) {
            Map<Object, Object> map = SortedMap.class.isAssignableFrom(kind) ? new TreeMap<>() : new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                Object key = inner[0] == String.class ? entry.getKey() : convert(new BigDecimal((String) entry.getKey()), inner[0]);
                map.put(key, convert(entry.getValue(), inner[1]));
            }
            return map;
        }
        List<Object> items = new ArrayList<>();
        for (Object item : (List<?>) value) items.add(convert(item, inner[0]));
        return filled(items, kind);
    }

    private static Object filled(Collection<?> items, Class<?> kind) {
        if (SortedSet.class.isAssignableFrom(kind)) return new TreeSet<>(items);
        if (Set.class.isAssignableFrom(kind)) return new LinkedHashSet<>(items);
        if (kind == LinkedList.class) return new LinkedList<>(items);
        if (Queue.class.isAssignableFrom(kind)) return new ArrayDeque<>(items);
        return new ArrayList<>(items);
    }

    private static Object natural(Object value) {
        if (value instanceof BigDecimal) {
            BigDecimal number = (BigDecimal) value;
            if (number.scale() > 0 || number.precision() > 18) return number.doubleValue();
            long whole = number.longValue();
            return (int) whole == whole ? (Object) (int) whole : (Object) whole;
        }
        if (value instanceof List) {
            List<Object> items = new ArrayList<>();
            for (Object item : (List<?>) value) items.add(natural(item));
            return items;
        }
        return value;
    }

    private static void encode(Object value, StringBuilder out, int depth) throws IllegalAccessException {
        if (depth > MAX_DEPTH) throw new IllegalArgumentException("the value is too deep");
        if (value == null || value instanceof Boolean) out.append(value);
        else if (value instanceof Float || value instanceof Double || value instanceof Number) out.append(value);
        else if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) quote(value.toString(), out);
        else if (value instanceof Optional) encode(((Optional<?>) value).orElse(null), out, depth + 1);
        else if (value instanceof Map) {
            String gap = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                quote(String.valueOf(entry.getKey()), out.append(gap));
                encode(entry.getValue(), out.append(':'), depth + 1);
                gap = ",";
            }
            out.append(gap.equals("{") ? "{}" : "}");
        } else if (value.getClass().isArray() || value instanceof Iterable) {
            out.append('[');
            Iterable<?> items = value instanceof Iterable ? (Iterable<?>) value : arrayItems(value);
            String gap = "";
            for (Object item : items) {
                encode(item, out.append(gap), depth + 1);
                gap = ",";
            }
            out.append(']');
        } else if (value.getClass().isRecord()) {
            out.append('{');
            String gap = "";
            for (Field field : value.getClass().getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())) continue;
                field.setAccessible(true);
                quote(field.getName(), out.append(gap));
                encode(field.get(value), out.append(':'), depth + 1);
                gap = ",";
            }
            out.append('}');
        } else throw new IllegalArgumentException("a " + value.getClass().getName() + " is no plain value");
    }

    private static List<Object> arrayItems(Object array) {
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < Array.getLength(array); i++) items.add(Array.get(array, i));
        return items;
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\' || c < 32 || c > 126) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        out.append('"');
    }

    private static String reply(List<Class<?>> classes, String name, List<?> given) throws Throwable {
        Method method = null;
        for (Class<?> kind : classes)
            for (Method each : kind.getDeclaredMethods())
                if (method == null && each.getName().equals(name) && each.getParameterCount() == given.size()) {
                    boolean all = true;
                    for (int i = 0; i < given.size(); i++) all &= fits(given.get(i), each.getGenericParameterTypes()[i]);
                    if (all) method = each;
                }
        if (method == null) throw new NoSuchMethodException(name + " with " + given.size() + " such arguments");
        method.setAccessible(true);
        Object[] arguments = new Object[given.size()];
        for (int i = 0; i < arguments.length; i++) arguments[i] = convert(given.get(i), method.getGenericParameterTypes()[i]);
        Object receiver = null;
        if (!Modifier.isStatic(method.getModifiers())) {
            Constructor<?> constructor = method.getDeclaringClass().getDeclaredConstructor();
            constructor.setAccessible(true);
            receiver = constructor.newInstance();
        }
        StringBuilder out = new StringBuilder("{\"value\":");
        try {
            encode(method.invoke(receiver, arguments), out, 0);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
        return out.append('}').toString();
    }

    private static String raised(Throwable error) {
        StringBuilder out = new StringBuilder("{\"raised\":{\"mro\":[");
        String gap = "";
        for (Class<?> kind = error.getClass(); kind != null; kind = kind.getSuperclass()) {
            quote(kind.getSimpleName(), out.append(gap));
            gap = ",";
        }
        quote(String.valueOf(error.getMessage()), out.append("],\"message\":"));
        return out.append("}}").toString();
    }

    private static List<Class<?>> classes() throws ClassNotFoundException {
        List<Class<?>> found = new ArrayList<>();
        String[] names = new File(".").list();
        Arrays.sort(names, Comparator.comparing((String name) -> !name.equals("Solution.class")).thenComparing(name -> name));
        for (String name : names)
            if (name.endsWith(".class") && !name.startsWith("Harness"))
                found.add(Class.forName(name.substring(0, name.length() - 6)));
        return found;
    }

    public static void main(String[] unused) throws Exception {
        PrintStream out = System.out;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        List<Class<?>> classes = classes();
        out.print("\n\u001e0 {\"value\":true}\n");
        out.flush();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<?, ?> request = (Map<?, ?>) new Harness(line).read();
            String said;
            try {
                said = reply(classes, (String) request.get("function"), (List<?>) request.get("args"));
            } catch (Throwable error) {
                said = raised(error);
            }
            System.out.flush();
            out.print("\n\u001e" + request.get("id") + " " + said + "\n");
            out.flush();
        }
        System.exit(0);
    }
}
